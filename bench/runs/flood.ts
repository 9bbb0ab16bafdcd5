import type { Load } from '../load/load.ts'
import { RowCount } from '../load/row-count.ts'
import { SUBJECTS } from '../subjects/subjects.ts'
import { type Course, type CourseContext, measured } from './course.ts'

/** Measures throughput: as many events as a window allows. */
export function flood(windowEvents: number): Course {
  return async (context) => {
    const running = await context.start()
    const load = await openLoad(context)
    await load.flood(context.counts.warmUp, windowEvents, context.signal)
    return measured(context, running, () => load.flood(context.counts.measured, windowEvents, context.signal))
  }
}

/** Measures latency at a given rate. */
export function paced(ratePerSecond: number): Course {
  return async (context) => {
    const running = await context.start()
    const load = await openLoad(context)
    await load.pace(context.counts.warmUp, ratePerSecond, context.signal)
    return measured(context, running, () => load.pace(context.counts.measured, ratePerSecond, context.signal))
  }
}

function openLoad({ bed, open }: CourseContext): Promise<Load> {
  const { subject, eventsPerMessage } = bed.scenario
  const { confirmedBy } = SUBJECTS[subject]
  if (confirmedBy !== 'rows') return open(confirmedBy)
  return open((onProgress) => RowCount.start({ url: bed.databaseUrl, eventsPerMessage, onProgress }))
}
