import type { Checker } from '../checker.ts'
import type { Faults } from './faults.ts'
import type { Random } from './random.ts'
import type { Timeline } from './timeline.ts'

/** What everything in one simulation shares. */
export interface World {
  readonly timeline: Timeline
  readonly random: Random
  readonly faults: Faults
  readonly checker: Checker
  /** A line of the story, for people; null where nobody reads it. */
  readonly tell: ((who: string, what: string) => void) | null
}
