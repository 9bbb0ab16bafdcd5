import type { CallOff, Clock } from '../pipeline/clock.ts'

export interface KeepAliveEvents {
  ping(): void
  onDead(silentMs: number): void
}

/** A peer counts as dead after four silent ticks, which is two keep-alive intervals. */
const TICKS_PER_INTERVAL = 2
const TICKS_UNTIL_DEAD = 4

/**
 * Detects a vanished peer. It counts its own ticks rather than time: a process that resumes after a stop (SIGSTOP, a
 * suspended laptop) sees one tick and the data that waited, not an hour of silence. While reading is paused nothing can
 * be heard, so the peer is not declared dead; pings continue, so that the broker does not consider this client dead.
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
