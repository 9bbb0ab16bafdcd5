import type { Load, LoadOptions, Phase } from '../load/load.ts'
import type { Counts } from '../scenario.ts'
import type { TestBed } from '../stack/stack.ts'
import type { Running } from '../subjects/subject.ts'
import { cpuSeconds, measure } from './cpu.ts'
import type { Measures } from './measures.ts'

/** What a course works with. What it starts and opens is known to the run, which verifies and ends it. */
export interface CourseContext {
  readonly bed: TestBed
  readonly counts: Counts
  /** Aborts when the run is interrupted, is past its limit, or a process ended. */
  readonly signal: AbortSignal
  /** Starts what is measured, on another database where one is named. */
  start(databaseUrl?: string): Promise<Running>
  /** Connects the devices. One load a run. */
  open(confirmations: LoadOptions['confirmations']): Promise<Load>
}

export type Course = (context: CourseContext) => Promise<Measures>

/** Whose memory and CPU time are the subject's. */
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

/** Nobody takes events in. */
export const NOBODY: Who = { children: [], readySeconds: null }
