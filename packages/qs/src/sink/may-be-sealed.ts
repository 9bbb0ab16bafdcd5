import type { Event } from '../pipeline/message.ts'

const DAY_MS = 86_400_000
const DATE_DIGITS = '2026-11-28'.length
/** No device time before this was ever plausible by default: clocks that were not set show 1970, 1980 or 2000. */
const FIRST_CLOCK = '2020'

/**
 * Whether an event may be in a segment: it is a day old, by its own clock or as stored, or its clock is a day ahead.
 * Segments hold events of three days and more (`seal_next`), so that neither a setting nor the clock of another machine
 * matters here.
 *
 * Both times count: a device time that was plausible when the event came first may be too old now. A clock that was
 * never set costs nothing, nor does any fresh event. Only the time of now counts, not that of the message: a replay
 * keeps the time at which its dead letter came, and next to that its events look fresh.
 */
export class SealedTimes {
  readonly #yesterday: string
  readonly #tomorrow: string

  /** @param now the current server time */
  constructor(now: string) {
    const today = Date.parse(now.slice(0, DATE_DIGITS))
    this.#yesterday = dateOf(today - DAY_MS)
    this.#tomorrow = dateOf(today + 2 * DAY_MS)
  }

  mayInclude({ ts, tsDevice }: Pick<Event, 'ts' | 'tsDevice'>): boolean {
    if (ts < this.#yesterday) return true
    if (tsDevice === null) return false
    return (tsDevice < this.#yesterday && tsDevice >= FIRST_CLOCK) || tsDevice >= this.#tomorrow
  }
}

/** With which a time can be compared as text. */
function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, DATE_DIGITS)
}
