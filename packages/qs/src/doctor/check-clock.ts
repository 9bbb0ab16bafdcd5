import type { ClientBase } from 'pg'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

const [TOLERANCE_MS, PROBLEM_MS] = [1_000, 60_000]

/** Server time comes from the ingester's host; queries with now() use the clock of the database. */
export async function* checkClock(database: ClientBase): AsyncGenerator<Finding> {
  const name = 'clock'
  const before = Date.now()
  const { rows } = await database.query<{ ms: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as ms',
  )
  const after = Date.now()
  const aheadMs = Math.round((rows[0]?.ms ?? Number.NaN) - (before + after) / 2)
  const detail = `the database is ${Math.abs(aheadMs)} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this host`
  const advice =
    'Synchronize both by NTP: ts_server uses the clock of the host, and queries that of the database'
  if (Math.abs(aheadMs) <= TOLERANCE_MS + (after - before) / 2) yield ok(name, detail)
  else if (Math.abs(aheadMs) < PROBLEM_MS) yield warning(name, detail, advice)
  else yield problem(name, detail, advice)
  yield unknown('clock of the broker', 'MQTT does not expose it; nothing here depends on it')
}
