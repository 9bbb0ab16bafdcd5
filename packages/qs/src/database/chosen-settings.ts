import { foundIn } from '../config/load.ts'
import { type Config, SETTINGS } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import type { Ask } from './query-pool.ts'

/** Settings that the console may change: they take effect at once, delete nothing, and lock nobody out. */
export const CHOOSABLE = ['DEVICE_TIMEZONE', 'DEVICE_CLOCK_MAX_PAST', 'DEVICE_CLOCK_MAX_FUTURE'] as const

type ChoosableName = (typeof CHOOSABLE)[number]

export function isChoosable(name: string): name is ChoosableName {
  return (CHOOSABLE as readonly string[]).includes(name)
}

const LIST = 'select name, value from chosen_settings'
const SET = `
insert into chosen_settings (name, value) values ($1, $2)
on conflict (name) do update set value = excluded.value, chosen_at = now()`
const FORGET = 'delete from chosen_settings where name = $1'

/** As text, by name. */
export async function listChosen(ask: Ask): Promise<ReadonlyMap<string, string>> {
  return textsIn(await ask.query<Record<string, unknown>>(LIST))
}

function textsIn(rows: readonly Record<string, unknown>[]): ReadonlyMap<string, string> {
  return new Map(rows.map(({ name, value }) => [String(name), String(value)]))
}

/** @param value null: as without a choice */
export async function chooseSetting(ask: Ask, name: ChoosableName, value: string | null): Promise<void> {
  if (value === null) await ask.query(FORGET, [name])
  else await ask.query(SET, [name, value])
}

const REFRESH_MS = 15_000

/**
 * The chosen settings, for the pipeline. A change takes effect within fifteen seconds; while the database is away, the last
 * known choice stays in effect. What the environment or a file sets cannot be chosen.
 */
export class ChosenSettings {
  readonly #config: Config
  readonly #query: (text: string) => Promise<readonly Record<string, unknown>[]>
  readonly #log: Log
  #chosen: Partial<Pick<Config, ChoosableName>> = {}
  #timer: NodeJS.Timeout | undefined

  /** @param query runs one statement with a time-out */
  constructor(
    config: Config,
    query: (text: string) => Promise<readonly Record<string, unknown>[]>,
    log: Log,
  ) {
    this.#config = config
    this.#query = query
    this.#log = log
  }

  /** In effect now: as chosen, or as the configuration says. */
  get<Name extends ChoosableName>(name: Name): Config[Name] {
    return (this.#chosen as Partial<Pick<Config, Name>>)[name] ?? this.#config[name]
  }

  /** @throws the error of the database, for the first query only */
  async start(): Promise<void> {
    await this.#refresh()
    this.#timer = setInterval(() => this.#refresh().catch(() => {}), REFRESH_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #refresh(): Promise<void> {
    const texts = textsIn(await this.#query(LIST))
    const found = foundIn(this.#config)
    const entries = CHOOSABLE.flatMap((name) => {
      const text = texts.get(name)
      if (text === undefined || found?.[name].source !== 'default') return []
      try {
        return [[name, SETTINGS[name].kind.parse(text)] as const]
      } catch (error) {
        this.#log.warn({ name, value: text, reason: (error as Error).message }, 'A chosen setting is wrong')
        return []
      }
    })
    this.#chosen = Object.fromEntries(entries)
  }
}
