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
 * never set costs nothing, nor does any fresh event. A replay keeps the server time of its dead letter: next to that, its
 * events look fresh.
 */
export class SealedTimes {
  #today = ''
  #yesterday = ''
  readonly #dayBefore: string

  /** @param now the current server time; absent: no message is a replay */
  constructor(now?: string) {
    this.#dayBefore = now === undefined ? '' : dayBefore(now)
  }

  /** @param tsServer of its message */
  mayInclude({ ts, tsDevice }: Pick<Event, 'ts' | 'tsDevice'>, tsServer: string): boolean {
    if (tsServer < this.#dayBefore) return true
    if (!tsServer.startsWith(this.#today) || this.#today === '') this.#begin(tsServer.slice(0, DATE_DIGITS))
    if (ts < this.#yesterday) return true
    return tsDevice !== null && tsDevice < this.#yesterday && tsDevice >= FIRST_CLOCK
  }

  #begin(today: string): void {
    this.#today = today
    this.#yesterday = dayBefore(today)
  }
}

/** The date of the day before, with which a time can be compared as text. */
function dayBefore(time: string): string {
  return new Date(Date.parse(time.slice(0, DATE_DIGITS)) - DAY_MS).toISOString().slice(0, DATE_DIGITS)
}
