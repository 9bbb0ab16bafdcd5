import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ackTopic } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import { OTHER_VARIABLES, processEnvironment } from './environment.ts'
import { readLanFile } from './lan-file.ts'
import { misspeltNames } from './misspelt-names.ts'
import { type Config, SETTINGS, type Setting, type SettingName } from './settings.ts'

/** Where the text of a setting comes from. */
export type SettingSource = 'option' | 'environment' | '.env' | 'default' | 'unset' | `file ${string}`

export interface Found {
  readonly text: string | null
  readonly source: SettingSource
  /** Why it could not be read; null if it could. */
  readonly problem: string | null
}

/** SETTINGS_WRONG: `message` lists every problem at once. */
export class ConfigError extends QsError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    const which = problems.length === 1 ? 'A setting is' : `${problems.length} settings are`
    super('SETTINGS_WRONG', `${which} wrong:\n${problems.map((each) => `  ${each}\n`).join('')}`)
    this.problems = problems
  }
}

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads the settings from the environment and from `.env` of the current folder; the environment takes precedence.
 *
 * @param overrides take precedence over both
 */
export function loadConfig(overrides: Variables = {}): Config {
  const { found, misspelt } = inspectConfig(overrides)
  return parseConfig(found, misspelt)
}

/** Reads the settings from this file alone: those of a service, whose environment is not that of the caller. */
export function loadConfigFile(path: string): Config {
  const file = dotenv(path)
  return parseConfig(findSettings({}, file), findMisspelt({}, file))
}

export interface Inspected {
  /** Every setting as text with its source, including invalid ones. */
  readonly found: Readonly<Record<SettingName, Found>>
  /** Problems: variables whose names are nearly those of settings. */
  readonly misspelt: readonly string[]
}

export function inspectConfig(overrides: Variables = {}): Inspected {
  const environment = processEnvironment()
  const file = dotenv()
  return {
    found: withLanFile(findSettings(environment, file, overrides)),
    misspelt: findMisspelt(environment, file),
  }
}

function dotenv(path = '.env'): Variables {
  try {
    const text = readFileSync(path, 'utf8')
    checkLines(path, text)
    return parseEnv(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`${path} cannot be read: ${(error as Error).message}`])
  }
}

/** Node's parser joins a line without = to the next one, which is then lost. */
function checkLines(path: string, text: string): void {
  const wrong = text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#') && !/^(export\s+)?[\w.-]+\s*=/.test(line))
  if (wrong.length > 0)
    throw new ConfigError(wrong.map(({ number }) => `${path}, line ${number} is not NAME=value`))
}

/** The text of every setting, including invalid ones. `overrides`: what the options of a command say. */
export function findSettings(
  environment: Variables,
  dotenv: Variables,
  overrides: Variables = {},
): Readonly<Record<SettingName, Found>> {
  const names = Object.keys(SETTINGS) as SettingName[]
  const sources = [
    ['option', overrides],
    ['environment', environment],
    ['.env', dotenv],
  ] as const
  return Object.fromEntries(names.map((name) => [name, findSetting(name, sources)])) as Record<
    SettingName,
    Found
  >
}

/** Adds the passwords that `qs up --lan` made, where the settings have none. They are those of the embedded broker. */
function withLanFile(found: Inspected['found']): Inspected['found'] {
  const isUnset = (name: SettingName) => found[name].text === null
  const names = [
    ...(isUnset('MQTT_USERNAME') && isUnset('MQTT_PASSWORD') ? ['MQTT_USERNAME', 'MQTT_PASSWORD'] : []),
    ...(isUnset('CONSOLE_OPERATOR_PASSWORD') ? ['CONSOLE_OPERATOR_PASSWORD'] : []),
  ]
  if (!isUnset('MQTT_URL') || names.length === 0) return found
  const { path, variables } = readLanFile(found.QS_DATA_DIR.text ?? '')
  const kept = names.flatMap((name) => {
    const text = variables[name]
    return text ? [[name, { text, source: `file ${path}`, problem: null }]] : []
  })
  return { ...found, ...Object.fromEntries(kept) }
}

/** A misspelt setting would be ignored, and the default taken instead, without a word. */
export function findMisspelt(environment: Variables, dotenv: Variables): readonly string[] {
  const settings: readonly [string, Setting<unknown>][] = Object.entries(SETTINGS)
  const known = settings.flatMap(([name, { secret }]) => (secret ? [name, `${name}_FILE`] : [name]))
  return misspeltNames({ ...dotenv, ...environment }, [...known, ...Object.keys(OTHER_VARIABLES)]).map(
    ({ name, likely }) =>
      `${name} (${environment[name] ? 'environment' : '.env'}) is not a setting; did you mean ${likely}? If another program needs it, set ${likely} too`,
  )
}

/** An empty variable counts as unset: compose files set unset variables to "". */
function findSetting(
  name: SettingName,
  sources: readonly (readonly ['option' | 'environment' | '.env', Variables])[],
): Found {
  const { secret, default: fallback }: Setting<unknown> = SETTINGS[name]
  for (const [source, variables] of sources) {
    const text = variables[name]
    if (text) return { text, source, problem: null }
    const file = secret && variables[`${name}_FILE`]
    if (file) return readSecret(name, file)
  }
  return { text: fallback, source: fallback === null ? 'unset' : 'default', problem: null }
}

/**
 * Reads a secret again if it came from a file: `NAME_FILE` may be replaced while a service runs. If it cannot be read
 * or is invalid, the last good value stays.
 */
export function secretReader<Name extends SettingName>(config: Config, name: Name): () => Config[Name] {
  const { source } = findSetting(name, [
    ['environment', processEnvironment()],
    ['.env', dotenv()],
  ])
  const file = source.startsWith('file ') ? source.slice('file '.length) : null
  let latest = config[name]
  return () => {
    const text = file === null ? null : readSecret(name, file).text
    try {
      if (text !== null) latest = SETTINGS[name].kind.parse(text) as Config[Name]
    } catch {
      // The file may be half-written; the next read gets the rest.
    }
    return latest
  }
}

function readSecret(name: SettingName, file: string): Found {
  const source = `file ${file}` as const
  try {
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, ''), source, problem: null }
  } catch (error) {
    return { text: null, source, problem: `${name}_FILE=${file} cannot be read: ${(error as Error).message}` }
  }
}

/**
 * @param misspelt further problems
 * @throws ConfigError with every problem
 */
export function parseConfig(
  found: Readonly<Record<SettingName, Found>>,
  misspelt: readonly string[] = [],
): Config {
  const problems = [...misspelt]
  const values = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { text, source, problem } = found[name]
    const { kind, secret }: Setting<unknown> = SETTINGS[name]
    if (problem !== null) problems.push(problem)
    if (text === null) return [name, null] as const
    try {
      return [name, kind.parse(text)] as const
    } catch (error) {
      const shown = secret ? '' : `, not "${withoutCredentials(text)}"`
      problems.push(`${name} (${source}) ${(error as Error).message}${shown}`)
      return [name, null] as const
    }
  })
  const config = Object.fromEntries(values) as Config
  if (problems.length === 0)
    problems.push(...findLoops(config), ...findHalves(config), ...findOpenProxies(config))
  if (problems.length > 0) throw new ConfigError(problems)
  FOUND.set(config, found)
  return config
}

const FOUND = new WeakMap<Config, Inspected['found']>()

/** The texts and sources from which a configuration was made; undefined for a copy. */
export function foundIn(config: Config): Inspected['found'] | undefined {
  return FOUND.get(config)
}

/**
 * Removes everything before the last @ and all parameters, which may contain credentials, even if these make the value
 * an invalid URL.
 */
export function withoutCredentials(value: string): string {
  return value.includes('@') || value.includes('://')
    ? value.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@').replace(/\?.*$/s, '?…')
    : value
}

/** MQTT 3.1.1 allows no password without a user name [MQTT-3.1.2-22]; usually the user name was forgotten. */
function findHalves(config: Config): readonly string[] {
  const { MQTT_USERNAME: username, MQTT_PASSWORD: password } = config
  const { MQTT_TLS_CERT_FILE: cert, MQTT_TLS_KEY_FILE: key } = config
  return [
    ...(username === null && password !== null ? ['MQTT_PASSWORD is set without MQTT_USERNAME'] : []),
    ...((cert === null) === (key === null)
      ? []
      : ['MQTT_TLS_CERT_FILE and MQTT_TLS_KEY_FILE must be set together']),
  ]
}

/** Without a password the console would treat every client of the proxy as a local user. */
function findOpenProxies(config: Config): readonly string[] {
  const { HTTP_TRUSTED_PROXIES: proxies, CONSOLE_OPERATOR_PASSWORD: operator } = config
  return proxies !== null && operator === null && config.CONSOLE_VIEWER_PASSWORD === null
    ? ['HTTP_TRUSTED_PROXIES is set but the console has no password: set CONSOLE_OPERATOR_PASSWORD']
    : []
}

/** The ingester must not receive its own messages as events and answer them again, forever. */
function findLoops(config: Config): readonly string[] {
  const published = {
    ACK_TEMPLATE: ackTopic(config.ACK_TEMPLATE, 'device'),
    MQTT_DEADLETTER_TOPIC: config.MQTT_DEADLETTER_TOPIC,
  }
  return Object.entries(published)
    .filter(([, topic]) => config.MQTT_EVENTS_TOPIC.deviceIdOf(topic) !== null)
    .map(([name, topic]) => `${name} publishes to ${topic}, which MQTT_EVENTS_TOPIC would receive as events`)
}
