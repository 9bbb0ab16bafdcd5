import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { queryRow } from '../stack/query-row.ts'
import { type Course, measured, NOBODY } from './course.ts'

/**
 * Measures what PostgreSQL alone can do with the same rows: a flood stores them, COPY writes them to a file in the same
 * order, and the COPY from that file into the emptied table is timed. Same indexes, one connection, one COMMIT. The
 * server reads the file itself, which is the fastest way.
 */
export function copyLimit(windowEvents: number): Course {
  return async (context) => {
    const { bed, counts, signal } = context
    const running = await context.start()
    const load = await context.open('device acks')
    await load.flood(counts.measured, windowEvents, signal)
    for (const child of running.children) await child.stop()

    // PostgreSQL's account writes into it.
    chmodSync(bed.directory, 0o777)
    const file = join(bed.directory, 'events.copy')
    // Separate transactions: for a COPY into a table truncated in the same one, PostgreSQL may write less WAL.
    for (const sql of [`copy events to '${file}'`, 'truncate events', 'checkpoint']) {
      await queryRow(bed.databaseUrl, sql)
    }
    return measured(context, NOBODY, async () => {
      const startMs = performance.now()
      await queryRow(bed.databaseUrl, `copy events from '${file}'`)
      return { seconds: (performance.now() - startMs) / 1000, latenciesMs: new Float64Array() }
    })
  }
}
