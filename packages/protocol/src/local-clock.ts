import { Temporal } from 'temporal-polyfill'

const DAY_MS = 86_400_000
const MAX_KNOWN = 10_000

/**
 * Local time in a time zone. PostgreSQL does not know it for every zone: `at time zone 'CET'` takes the name for the
 * abbreviation, which has no summer time; likewise MET, EET and WET.
 */
export class LocalClock {
  readonly #timeZone: string
  /** Local minus UTC at the beginning of a day in UTC. A day that begins and ends with the same offset has no other. */
  readonly #offsets = new Map<number, number>()

  /** @param timeZone IANA name */
  constructor(timeZone: string) {
    this.#timeZone = timeZone
  }

  /**
   * Date and time to the millisecond, `2026-07-01 12:30:00.123`.
   *
   * @param moment RFC 3339 in UTC
   */
  text(moment: string): string {
    const epochMs = Date.parse(moment)
    return new Date(epochMs + this.#offsetMs(epochMs)).toISOString().slice(0, -1).replace('T', ' ')
  }

  #offsetMs(epochMs: number): number {
    const dayMs = Math.floor(epochMs / DAY_MS) * DAY_MS
    const offsetMs = this.#known(dayMs)
    return this.#known(dayMs + DAY_MS) === offsetMs ? offsetMs : this.#ask(epochMs)
  }

  #known(dayMs: number): number {
    const known = this.#offsets.get(dayMs)
    if (known !== undefined) return known
    if (this.#offsets.size >= MAX_KNOWN) this.#offsets.clear()
    const offsetMs = this.#ask(dayMs)
    this.#offsets.set(dayMs, offsetMs)
    return offsetMs
  }

  #ask(epochMs: number): number {
    const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(this.#timeZone)
    return zoned.offsetNanoseconds / 1e6
  }
}
