import type { Instant } from '@qs-telemetry/protocol'

/** Time and timers. The only source of them in the pipeline, so that tests and the fault simulation own time. */
export interface Clock {
  /** Server time. */
  now(): Instant
  /** Milliseconds on a clock that never steps, for durations. */
  monotonicMs(): number
  /** Acts once, so many milliseconds later. */
  after(ms: number, act: () => void): CallOff
  /** Acts again and again at this interval. */
  every(ms: number, act: () => void): CallOff
}

/** Calls a timer off; does nothing where that is over. */
export type CallOff = () => void
