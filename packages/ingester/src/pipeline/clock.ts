import type { Instant } from '@qs-telemetry/protocol'

/** Server time. The only source of it in the pipeline, so that tests and the fault simulation own time. */
export interface Clock {
  now(): Instant
}
