import { type Instant, instantFromMs } from '@qs-telemetry/protocol'

/** Time and timers. The pipeline has no other source of them, so tests and the fault simulation control time. */
export interface Clock {
  /** Server time. */
  now(): Instant
  /** Milliseconds on a clock that never steps, for durations. */
  monotonicMs(): number
  /** Calls `act` once, after `ms` milliseconds. */
  after(ms: number, act: () => void): CallOff
  /** Calls `act` every `ms` milliseconds. */
  every(ms: number, act: () => void): CallOff
}

/** Cancels a timer; has no effect once the timer has fired. */
export type CallOff = () => void

/** How far this clock may deviate from the system clock before it is reset. */
const TOLERANCE_MS = 2

/**
 * The system clock with microseconds. Date.now() has only milliseconds, so the monotonic clock adds the fraction; if
 * the system clock is stepped or slewed, this one follows.
 */
export class SystemClock implements Clock {
  #offsetMs = performance.timeOrigin

  now(): Instant {
    const systemMs = Date.now()
    const elapsedMs = performance.now()
    const ms = elapsedMs + this.#offsetMs
    if (Math.abs(ms - systemMs) <= TOLERANCE_MS) return instantFromMs(ms)
    this.#offsetMs = systemMs - elapsedMs
    return instantFromMs(systemMs)
  }

  monotonicMs(): number {
    return performance.now()
  }

  after(ms: number, act: () => void): CallOff {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  }

  every(ms: number, act: () => void): CallOff {
    const timer = setInterval(act, ms)
    return () => clearInterval(timer)
  }
}
