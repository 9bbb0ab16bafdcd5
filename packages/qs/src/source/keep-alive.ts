import type { CallOff, Clock } from '../pipeline/clock.ts'

export interface KeepAliveEvents {
  ping(): void
  onDead(silentMs: number): void
}

/** Four looks make a verdict: two keep-alive intervals. */
const TICKS_PER_INTERVAL = 2
const TICKS_UNTIL_DEAD = 4

/**
 * Notices a peer that is gone without a word. It counts its own ticks rather than time: a process that was
 * stopped and goes on (SIGSTOP, a suspended laptop) finds one tick and the data that waited, not an hour of
 * silence. While reading is paused there is nothing to hear, so there is no verdict then; pings go on, so that the
 * broker does not take us for dead.
 */
export class KeepAlive {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #events: KeepAliveEvents
  #callOff: CallOff | null = null
  #ticksSinceHeard = 0
  #ticksSinceSaid = 0
  #isSuspended = false

  constructor(clock: Clock, intervalMs: number, events: KeepAliveEvents) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#events = events
  }

  start(): void {
    this.#callOff = this.#clock.every(this.#intervalMs / TICKS_PER_INTERVAL, () => this.#tick())
  }

  stop(): void {
    this.#callOff?.()
    this.#callOff = null
  }

  heard(): void {
    this.#ticksSinceHeard = 0
  }

  said(): void {
    this.#ticksSinceSaid = 0
  }

  suspendVerdict(): void {
    this.#isSuspended = true
  }

  resumeVerdict(): void {
    this.#isSuspended = false
    this.#ticksSinceHeard = 0
  }

  #tick(): void {
    if (this.#callOff === null) return
    this.#ticksSinceHeard++
    this.#ticksSinceSaid++
    if (!this.#isSuspended && this.#ticksSinceHeard >= TICKS_UNTIL_DEAD) {
      this.#events.onDead(this.#intervalMs * (TICKS_UNTIL_DEAD / TICKS_PER_INTERVAL))
    } else if (this.#ticksSinceHeard >= TICKS_PER_INTERVAL || this.#ticksSinceSaid >= TICKS_PER_INTERVAL) {
      this.#events.ping()
    }
  }
}
