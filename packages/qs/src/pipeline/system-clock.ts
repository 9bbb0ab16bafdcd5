import { type Instant, instantFromMs } from '@qs-telemetry/protocol'
import type { CallOff, Clock } from './clock.ts'

/** How far the monotonic clock may wander from the system's before it is set again. */
const TOLERANCE_MS = 2

/**
 * The system clock with microseconds. Date.now() has milliseconds only, so the monotonic clock counts on from it;
 * where the system clock is stepped or slewed away, this one follows.
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
