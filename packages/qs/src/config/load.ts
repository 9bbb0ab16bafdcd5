import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { ackTopic } from '@qs-telemetry/protocol'
import { type Config, SETTINGS, type Setting, type SettingName } from './settings.ts'

/** Where the text of a setting was found. */
export type SettingSource = 'environment' | '.env' | 'default' | 'unset' | `file ${string}`

export interface Found {
  readonly text: string | null
  readonly source: SettingSource
  /** Why it could not be read, where it could not. */
  readonly problem: string | null
}

/** The start stops here: `message` lists every problem at once. */
export class ConfigError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'A setting is' : `${problems.length} settings are`} wrong:\n${problems.map((each) => `  ${each}\n`).join('')}`,
    )
    this.name = 'ConfigError'
    this.problems = problems
  }
}

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads process.env and, below it, `.env` of the current folder. The only reader of process.env.
 *
 * @param overrides above both
 */
export function loadConfig(overrides: Variables = {}): Config {
  return parseConfig(findSettings({ ...process.env, ...overrides }, dotenv()))
}

/** Every setting as text, with where it came from; wrong ones too. */
export function inspectConfig(): Readonly<Record<SettingName, Found>> {
  return findSettings(process.env, dotenv())
}

function dotenv(): Variables {
  try {
    const text = readFileSync('.env', 'utf8')
    checkLines(text)
    return parseEnv(text)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    if (error instanceof ConfigError) throw error
    throw new ConfigError([`.env cannot be read: ${(error as Error).message}`])
  }
}

/** Node's parser takes a line without = for the beginning of the next one, which then is gone. */
function checkLines(text: string): void {
  const wrong = text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#') && !/^(export\s+)?[\w.-]+\s*=/.test(line))
  if (wrong.length > 0)
    throw new ConfigError(wrong.map(({ number }) => `.env, line ${number} is no NAME=value`))
}

/** The text of every setting, wrong ones too. */
export function findSettings(
  environment: Variables,
  dotenv: Variables,
): Readonly<Record<SettingName, Found>> {
  const names = Object.keys(SETTINGS) as SettingName[]
  return Object.fromEntries(names.map((name) => [name, findSetting(name, environment, dotenv)])) as Record<
    SettingName,
    Found
  >
}

/** An empty variable counts as absent: compose files set what is unset to "". */
function findSetting(name: SettingName, environment: Variables, dotenv: Variables): Found {
  const { secret, default: fallback }: Setting<unknown> = SETTINGS[name]
  for (const [source, variables] of [
    ['environment', environment],
    ['.env', dotenv],
  ] as const) {
    const text = variables[name]
    if (text) return { text, source, problem: null }
    const file = secret && variables[`${name}_FILE`]
    if (file) return readSecret(name, file)
  }
  return { text: fallback, source: fallback === null ? 'unset' : 'default', problem: null }
}

/**
 * Reads a secret again, where it came from a file: `NAME_FILE` may be written anew while a service runs. Where it cannot
 * be read or is wrong, the last good text stays.
 */
export function secretReader<Name extends SettingName>(config: Config, name: Name): () => Config[Name] {
  const { source } = findSetting(name, process.env, dotenv())
  const file = source.startsWith('file ') ? source.slice('file '.length) : null
  let latest = config[name]
  return () => {
    const text = file === null ? null : readSecret(name, file).text
    try {
      if (text !== null) latest = SETTINGS[name].kind.parse(text) as Config[Name]
    } catch {
      // Half written: the next try finds the rest.
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

/** @throws ConfigError with everything that is wrong */
export function parseConfig(found: Readonly<Record<SettingName, Found>>): Config {
  const problems: string[] = []
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
  return config
}

/**
 * A value without what may be a user and a password, also where it is no URL because of them: what stands before its
 * last @, and its parameters.
 */
export function withoutCredentials(value: string): string {
  return value.includes('@') || value.includes('://')
    ? value.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@').replace(/\?.*$/s, '?…')
    : value
}

/** MQTT 3.1.1 has no password without a user [MQTT-3.1.2-22], and a user without one is mostly forgotten. */
function findHalves({ MQTT_USERNAME: username, MQTT_PASSWORD: password }: Config): readonly string[] {
  return username === null && password !== null ? ['MQTT_PASSWORD is set without MQTT_USERNAME'] : []
}

/** Whoever reaches the proxy reaches the console, and without a password the console takes them for people of this machine. */
function findOpenProxies(config: Config): readonly string[] {
  const { HTTP_TRUSTED_PROXIES: proxies, CONSOLE_OPERATOR_PASSWORD: operator } = config
  return proxies !== null && operator === null && config.CONSOLE_VIEWER_PASSWORD === null
    ? ['HTTP_TRUSTED_PROXIES is set, and the console has no password: set CONSOLE_OPERATOR_PASSWORD']
    : []
}

/** What the ingester publishes must not come back to it as an event, to be answered again, for ever. */
function findLoops(config: Config): readonly string[] {
  const published = {
    ACK_TEMPLATE: ackTopic(config.ACK_TEMPLATE, 'device'),
    MQTT_DEADLETTER_TOPIC: config.MQTT_DEADLETTER_TOPIC,
  }
  return Object.entries(published)
    .filter(([, topic]) => config.MQTT_EVENTS_TOPIC.deviceIdOf(topic) !== null)
    .map(([name, topic]) => `${name} publishes to ${topic}, which MQTT_EVENTS_TOPIC takes in as events`)
}
