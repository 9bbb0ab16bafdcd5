import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type Config, SETTINGS, type Setting, type SettingName } from './settings.ts'

/** Where the text of a setting was found. */
export type Source = 'environment' | '.env' | 'default' | 'unset' | `file ${string}`

export interface Found {
  readonly text: string | null
  readonly source: Source
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

type Variables = Readonly<Record<string, string | undefined>>

/** Reads process.env and, below it, `.env` of the current folder. The only reader of process.env. */
export function loadConfig(): Config {
  return parseConfig(findSettings(process.env, dotenv()))
}

/** Every setting as text, with where it came from; wrong ones too. */
export function inspectConfig(): Readonly<Record<SettingName, Found>> {
  return findSettings(process.env, dotenv())
}

function dotenv(): Variables {
  try {
    return parseEnv(readFileSync('.env', 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ConfigError([`.env cannot be read: ${(error as Error).message}`])
  }
}

/** @throws ConfigError where a secret is named by file and the file cannot be read. */
export function findSettings(
  environment: Variables,
  dotenv: Variables,
): Readonly<Record<SettingName, Found>> {
  const problems: string[] = []
  const names = Object.keys(SETTINGS) as SettingName[]
  const found = names.map((name) => {
    try {
      return [name, findSetting(name, environment, dotenv)] as const
    } catch (error) {
      problems.push((error as Error).message)
      return [name, { text: null, source: 'unset' }] as const
    }
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.fromEntries(found) as Record<SettingName, Found>
}

/** An empty variable counts as absent: compose files set what is unset to "". */
function findSetting(name: SettingName, environment: Variables, dotenv: Variables): Found {
  const { secret, default: fallback }: Setting<unknown> = SETTINGS[name]
  for (const [source, variables] of [
    ['environment', environment],
    ['.env', dotenv],
  ] as const) {
    const text = variables[name]
    if (text) return { text, source }
    const file = secret && variables[`${name}_FILE`]
    if (file) return { text: readSecret(name, file), source: `file ${file}` }
  }
  return fallback === null ? { text: null, source: 'unset' } : { text: fallback, source: 'default' }
}

function readSecret(name: SettingName, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Error(`${name}_FILE=${file} cannot be read: ${(error as Error).message}`)
  }
}

/** @throws ConfigError with every setting that does not parse. */
export function parseConfig(found: Readonly<Record<SettingName, Found>>): Config {
  const problems: string[] = []
  const values = (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { text, source } = found[name]
    const { kind, secret }: Setting<unknown> = SETTINGS[name]
    if (text === null) return [name, null] as const
    try {
      return [name, kind.parse(text)] as const
    } catch (error) {
      problems.push(`${name} (${source}) ${(error as Error).message}${secret ? '' : `, not "${text}"`}`)
      return [name, null] as const
    }
  })
  if (problems.length > 0) throw new ConfigError(problems)
  return Object.fromEntries(values) as Config
}
