import type { Config } from '../../packages/qs/src/config/settings.ts'
import type { Clock } from '../../packages/qs/src/pipeline/clock.ts'
import type { Intake, IntakeEvents } from '../../packages/qs/src/pipeline/intake.ts'
import type { OpenSocket } from '../../packages/qs/src/source/source.ts'

/** The process in which a pipeline runs. */
export interface Host {
  readonly config: Config
  readonly clock: Clock
  /** Closed by the kernel when the process ends. */
  readonly opened: Set<{ destroy(): void }>
}

/** How messages reach the pipeline of one process. */
export interface Entrance {
  readonly openSocket: OpenSocket
  /** Absent: a session at a broker. */
  readonly openIntake?: (events: IntakeEvents) => Intake
  /** What may be in flight beyond the watermarks. */
  bound(): { readonly messages: number; readonly bytes: number }
  /** The pipeline has started. */
  open(): void
  /** Takes nothing new. */
  shut(): void
  /** The pipeline has stopped. */
  stop(): void
}

/** Where messages come from: a broker, or the devices themselves. */
export interface Front {
  begin(host: Host): Entrance
}
