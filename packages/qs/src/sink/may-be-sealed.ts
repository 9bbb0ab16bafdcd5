import type { Event } from '../pipeline/message.ts'

const DAY_MS = 86_400_000
const DATE_DIGITS = '2026-11-28'.length
/** No device time before this was ever plausible by default: clocks that were not set show 1970, 1980 or 2000. */
const FIRST_CLOCK = '2020'

/**
 * Whether an event may be in a segment: it is a day old, by its own clock or as stored. Segments hold events of three
 * days and more (`seal_next`), so that neither a setting nor the clock of another machine matters here.
 *
 * Both times count: a device time that was plausible when the event came first may be too old now. A clock that was
 * never set costs nothing, nor does any fresh event.
 */
export class SealedTimes {
  #today = ''
  #yesterday = ''

  /** @param tsServer of its message */
  mayInclude({ ts, tsDevice }: Pick<Event, 'ts' | 'tsDevice'>, tsServer: string): boolean {
    if (!tsServer.startsWith(this.#today) || this.#today === '') this.#begin(tsServer.slice(0, DATE_DIGITS))
    if (ts < this.#yesterday) return true
    return tsDevice !== null && tsDevice < this.#yesterday && tsDevice >= FIRST_CLOCK
  }

  #begin(today: string): void {
    this.#today = today
    this.#yesterday = new Date(Date.parse(today) - DAY_MS).toISOString().slice(0, DATE_DIGITS)
  }
}
