import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { Postgres } from './postgres.ts'
import { writeRow } from './row.ts'
import { scale } from './scale.ts'

const FAULT = '30 days of sealing'
const DAYS = 30
/** How many days stay in the table. */
const ROW_DAYS = scale(30, 15)
const SERIES = scale(10, 4)
/** Above the size of a segment, or a series waits for more. */
const EACH = 1_200
/** A day that waits for its sealing, what is not vacuumed yet, and pages of indexes that are not full. */
const SLACK = 1.35

/** The rows of one day; every second series has ids in random order. */
const FILL = `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, meta)
select case when s % 2 = 0 then gen_random_uuid()::text else 'board-' || s || '-3-' || $1 * ${EACH} + i end, 'board-' || s, 'temp',
  i / 7.0, '°C', at, at, at + interval '20.317 ms', 1, case when i % 5 = 0 then '{"rssi": -61, "heap": 181234}'::jsonb end
from generate_series(1, ${EACH}) i, generate_series(1, ${SERIES}) s,
  lateral (select timestamptz '2026-01-01Z' + $1 * interval '1 day' + i * interval '71 s' + s * interval '1.013 s' as at) x`

/** Everything before a day, by the function that the ingester's steps call. */
const SEAL = `
select sum(seal_series('board-' || s, 'temp', timestamptz '2026-01-01Z' + $1 * interval '1 day', 'infinity', 20000))::int as sealed
from generate_series(1, ${SERIES}) s`

/** The rule of autovacuum, with the settings of the table. */
const IS_DUE = `
select s.n_dead_tup > coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
  + coalesce(o.share, current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(c.reltuples, 0) as due
from pg_stat_user_tables s join pg_class c on c.oid = s.relid
cross join lateral (
  select max(option_value) filter (where option_name = 'autovacuum_vacuum_threshold')::float8 as threshold,
    max(option_value) filter (where option_name = 'autovacuum_vacuum_scale_factor')::float8 as share
  from pg_options_to_table(c.reloptions)) o
where s.relid = 'events'::regclass`

const SIZES = `
select pg_table_size('events')::float8 as rows, pg_indexes_size('events')::float8 as indexes,
  pg_total_relation_size('event_segments')::float8 as segments, (select count(*)::int from events) as count,
  (select coalesce(sum(events), 0)::int from event_segments) as sealed`

interface Sizes {
  readonly rows: number
  readonly indexes: number
  readonly segments: number
  readonly count: number
  readonly sealed: number
}

test('in 30 days of sealing neither the table of rows nor its indexes grow', async (t) => {
  const postgres = await Postgres.open(t, { settings: ['autovacuum_naptime=1s'] })
  const client = new Client({ connectionString: postgres.url })
  // PostgreSQL ends before the test does.
  client.on('error', () => {})
  await client.connect()
  const sizes = async () => (await client.query<Sizes>(SIZES)).rows[0] as Sizes
  const vacuumed = () =>
    until(
      async () => (await client.query<{ due: boolean }>(IS_DUE)).rows[0]?.due === false,
      'autovacuum has run',
    )

  for (let day = 0; day < ROW_DAYS; day++) await client.query(FILL, [day])
  await client.query('analyze events')
  const full = await sizes()
  const most = { rows: 0, indexes: 0 }
  for (let day = ROW_DAYS; day < ROW_DAYS + DAYS; day++) {
    await client.query(FILL, [day])
    await client.query(SEAL, [day + 1 - ROW_DAYS])
    await client.query('select pg_stat_force_next_flush()')
    await vacuumed()
    const now = await sizes()
    t.diagnostic(
      `day ${day}: ${mb(now.rows)} of rows, ${mb(now.indexes)} of indexes, ${mb(now.segments)} of segments`,
    )
    most.rows = Math.max(most.rows, now.rows)
    most.indexes = Math.max(most.indexes, now.indexes)
  }
  const end = await sizes()
  const events = (ROW_DAYS + DAYS) * SERIES * EACH
  const text = `rows at most ${ratio(most.rows, full.rows)}, indexes ${ratio(most.indexes, full.indexes)} of their size before the first sealing`
  const isBounded = most.rows <= full.rows * SLACK && most.indexes <= full.indexes * SLACK
  const lost = events - end.count - end.sealed
  writeRow({
    ...{
      fault: FAULT,
      sent: events,
      acked: events,
      stored: end.count + end.sealed,
      deadLetters: null,
      lost,
      doubled: 0,
    },
    ...{ outageSeconds: 0, recoverySeconds: null, peakMemoryMb: null },
    ...{ broken: isBounded ? 0 : 1, violations: isBounded ? [] : [text] },
  })
  t.diagnostic(text)
  assert.deepEqual([lost, end.sealed], [0, DAYS * SERIES * EACH])
  assert.ok(isBounded, text)
})

const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
const ratio = (one: number, other: number) => (one / other).toFixed(2)
