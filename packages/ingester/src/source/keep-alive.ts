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
  readonly #intervalMs: number
  readonly #events: KeepAliveEvents
  #timer: NodeJS.Timeout | undefined
  #ticksSinceHeard = 0
  #ticksSinceSaid = 0
  #isSuspended = false

  constructor(intervalMs: number, events: KeepAliveEvents) {
    this.#intervalMs = intervalMs
    this.#events = events
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), this.#intervalMs / TICKS_PER_INTERVAL)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
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
    if (this.#timer === undefined) return
    this.#ticksSinceHeard++
    this.#ticksSinceSaid++
    if (!this.#isSuspended && this.#ticksSinceHeard >= TICKS_UNTIL_DEAD) {
      this.#events.onDead(this.#intervalMs * (TICKS_UNTIL_DEAD / TICKS_PER_INTERVAL))
    } else if (this.#ticksSinceHeard >= TICKS_PER_INTERVAL || this.#ticksSinceSaid >= TICKS_PER_INTERVAL) {
      this.#events.ping()
    }
  }
}
