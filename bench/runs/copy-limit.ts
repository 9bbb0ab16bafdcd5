import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { queryRow } from '../stack/query-row.ts'
import { type Course, measured, NOBODY } from './course.ts'

/**
 * What PostgreSQL alone can do with the same rows: a flood stores them, COPY writes them to a file in the same order,
 * and COPY from that file into the emptied table is what is measured. Same indexes, one connection, one COMMIT. The
 * server reads the file itself, which is its fastest way.
 */
export function copyLimit(windowEvents: number): Course {
  return async (context) => {
    const { bed, counts, signal } = context
    const running = await context.start()
    const load = await context.open(null)
    await load.flood(counts.measured, windowEvents, signal)
    for (const child of running.children) await child.stop()

    // The account of PostgreSQL writes into it.
    chmodSync(bed.directory, 0o777)
    const file = join(bed.directory, 'events.copy')
    // Each in a transaction of its own: into a table that is as old as its COPY, PostgreSQL may write less WAL.
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
