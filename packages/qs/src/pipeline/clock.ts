import type { Instant } from '@qs-telemetry/protocol'

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
