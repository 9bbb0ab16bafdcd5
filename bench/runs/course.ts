import type { Load, LoadOptions, Phase } from '../load/load.ts'
import type { Counts } from '../scenario.ts'
import type { TestBed } from '../stack/stack.ts'
import type { Running } from '../subjects/subject.ts'
import { cpuSeconds, measure } from './cpu.ts'
import type { Measures } from './measures.ts'

/** The means of a course. The run verifies and ends everything that a course starts and opens. */
export interface CourseContext {
  readonly bed: TestBed
  readonly counts: Counts
  /** Aborts when the run is interrupted or past its time limit, or when a process has ended. */
  readonly signal: AbortSignal
  /** Starts the subject, on another database if one is given. */
  start(databaseUrl?: string): Promise<Running>
  /** Connects the devices. Call once per run. */
  open(confirmations: LoadOptions['confirmations']): Promise<Load>
}

export type Course = (context: CourseContext) => Promise<Measures>

/** The processes whose memory and CPU time count as the subject's. */
export interface Who {
  readonly children: readonly { readonly pid: number }[]
  readonly readySeconds: number | null
}

/** Measures what `work` does with the measured events. */
export async function measured(
  { bed, counts }: CourseContext,
  { children, readySeconds }: Who,
  work: () => Promise<Phase>,
): Promise<Measures> {
  const watched = {
    subjects: children.map(({ pid }) => pid),
    mosquitto: bed.broker.child.pid,
    postgres: bed.database.pid,
  }
  const before = cpuSeconds(watched)
  const phase = await work()
  const after = cpuSeconds(watched)
  return measure(phase, { events: counts.measured, before, after, watched, readySeconds })
}

/** No subject receives events. */
export const NOBODY: Who = { children: [], readySeconds: null }
