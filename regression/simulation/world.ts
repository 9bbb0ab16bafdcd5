import type { Checker } from '../checker.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** Shared by everything in one simulation. */
export interface World {
  readonly timeline: Timeline
  readonly random: Random
  readonly faults: Faults
  readonly checker: Checker
  /** Writes a line of the log; null if no log is wanted. */
  readonly tell: ((who: string, what: string) => void) | null
}
