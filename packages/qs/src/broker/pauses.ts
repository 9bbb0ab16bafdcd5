import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Link } from './link.ts'

/** Why a connection is not read: the intake takes no more from it, it does not read, or its budget is exceeded. */
export type Cause = 'intake' | 'unread' | 'budget'

/** A slowed client is still read now and then: its PINGREQ may be waiting. */
const MAX_BUDGET_MS = 1_000

/** Reads from the network only while there is no cause against it. */
export class Pauses {
  readonly #link: Link
  readonly #clock: Pick<Clock, 'monotonicMs' | 'after'>
  readonly #onResume: () => void
  readonly #causes = new Set<Cause>()
  #untilMs = 0
  #callOff: CallOff | null = null

  constructor(link: Link, clock: Pick<Clock, 'monotonicMs' | 'after'>, onResume: () => void) {
    this.#link = link
    this.#clock = clock
    this.#onResume = onResume
  }

  get isPaused(): boolean {
    return this.#causes.size > 0
  }

  set(cause: Cause, isOn: boolean): void {
    if (this.#causes.has(cause) === isOn) return
    if (isOn) {
      this.#causes.add(cause)
      if (this.#causes.size === 1) this.#link.pause()
    } else {
      this.#causes.delete(cause)
      if (this.#causes.size > 0) return
      this.#onResume()
      this.#link.resume()
    }
  }

  /** Reads nothing for this long, counted from the last call. */
  forMs(ms: number): void {
    this.#untilMs = this.#clock.monotonicMs() + Math.min(ms, MAX_BUDGET_MS)
    if (this.#callOff === null) this.#wait()
  }

  end(): void {
    this.#callOff?.()
    this.#callOff = null
  }

  #wait(): void {
    const leftMs = this.#untilMs - this.#clock.monotonicMs()
    this.#callOff = null
    this.set('budget', leftMs > 0)
    if (leftMs > 0) this.#callOff = this.#clock.after(leftMs, () => this.#wait())
  }
}
