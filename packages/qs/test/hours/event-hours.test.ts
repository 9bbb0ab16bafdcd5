import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { readSeries } from '../../src/console/queries/read-series.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { compareNext } from '../../src/hours/compare-next.ts'
import { followEvents } from '../../src/hours/event-hours.ts'

const DAY_MS = 86_400_000

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 30_000 })
  t.after(() => pool.end())
  const insert = async (prefix: string, where: string) => {
    await pool.query(`
      insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select '${prefix}' || i, 'd' || i % 2, 't', case when i % 7 = 0 then null else i % 50 end, ts, now(), 1
      from (select i, ${where} as ts from generate_series(1, 6000) i) x`)
    await pool.query('select recount_series()')
  }
  const chart = async (device: string) => {
    const to = new Date()
    const question = {
      series: [{ deviceId: device, eventType: 't' }],
      from: new Date(to.getTime() - 60 * DAY_MS).toISOString(),
      to: to.toISOString(),
      points: 800,
    }
    return (await readSeries(pool, { ...question, axis: 'event' })).lines[0]
  }
  const follow = () => pool.use(followEvents)
  return { pool, insert, chart, follow }
}

test('a chart of hours equals the chart of the events, before, after and with late events', async (t) => {
  const { pool, insert, chart, follow } = await open(t)
  await insert('a', `now() - i * interval '13 minutes'`)
  const raw = await chart('d1')
  assert.ok(raw && raw.events > 2_000)
  assert.equal(await follow(), true)
  const [state] = await pool.query<{ n: number }>('select count(*)::int as n from event_hours')
  assert.ok(state && state.n > 1_000)
  const hourly = await chart('d1')
  assert.deepEqual(rounded(hourly), rounded(raw))

  // A device returns with stored events; the sink records the backlog, and the job counts again.
  const [{ before } = { before: null }] = await pool.query<{ before: Date }>(
    'select clock_timestamp() as before',
  )
  await insert('late', `now() - interval '3 days' - i * interval '1 minute'`)
  await pool.query('insert into event_hours_backlog (first_seen, last_seen) values ($1, clock_timestamp())', [
    before,
  ])
  assert.equal((await chart('d1'))?.events, raw.events, 'not counted yet')
  await follow()
  const whole = await chart('d1')
  await pool.query('truncate event_hours; update event_hours_state set covered_to = null')
  assert.deepEqual(rounded(whole), rounded(await chart('d1')))
  assert.deepEqual(await pool.query('select from event_hours_backlog'), [])
})

test('one batch with old events on a quiet system is counted, to the microsecond of its arrival', async (t) => {
  const { pool, chart, follow } = await open(t)
  await follow()
  const arrived = '2026-11-28T07:15:30.123456Z'
  await pool.query(
    `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select 'late' || i, 'd1', 't', i, now() - interval '30 hours', $1, 1 from generate_series(1, 60) i`,
    [arrived],
  )
  await pool.query('insert into event_hours_backlog (first_seen, last_seen) values ($1, $1)', [arrived])
  await follow()
  assert.deepEqual(await pool.query('select events::int, low, high, total from event_hours'), [
    { events: 60, low: 1, high: 60, total: 1830 },
  ])
  assert.deepEqual(await pool.query('select from event_hours_backlog'), [])
  assert.equal((await chart('d1'))?.events, 60)
})

test('a late event does not change an hour whose events were deleted by hand', async (t) => {
  const { pool, follow } = await open(t)
  const hours = () => pool.query('select device_id, unit, events::int, total from event_hours order by 1, 2')
  const insert = (prefix: string, device: string, unit: string, count: number) =>
    pool.query(
      `insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_server, schema)
      select $1 || i, $2, 't', 2, $3, date_trunc('hour', now()) - interval '40 days' + i * interval '1 s', clock_timestamp(), 1
      from generate_series(1, $4::int) i`,
      [prefix, device, unit, count],
    )
  await insert('a', 'deleted', '°C', 180)
  await insert('b', 'whole', '°C', 180)
  await pool.query('select recount_series()')
  await follow()
  const [{ before } = { before: null }] = await pool.query<{ before: string }>(
    'select clock_timestamp()::text as before',
  )
  await pool.query(
    `delete from events where device_id = 'deleted'; update events set unit = '°F' where device_id = 'whole'`,
  )
  await insert('c', 'deleted', '°C', 1)
  await insert('d', 'whole', '°F', 1)
  await pool.query('insert into event_hours_backlog (first_seen, last_seen) values ($1, clock_timestamp())', [
    before,
  ])
  await follow()
  assert.deepEqual(await hours(), [
    { device_id: 'deleted', unit: '°C', events: 180, total: 360 },
    { device_id: 'whole', unit: '°F', events: 181, total: 362 },
  ])
})

test('late events do not replace what an hour has counted, if a part of it was deleted by retention', async (t) => {
  const { pool, follow } = await open(t)
  const insert = (prefix: string, minutes: string, count: number) =>
    pool.query(
      `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select $1 || $2 || i, 'd', 't', $1::int, date_trunc('hour', now(), 'UTC') - interval '40 days' + $2::interval + i * interval '1 s',
        clock_timestamp() - interval '3 days', 1
      from generate_series(1, $3::int) i`,
      [prefix, minutes, count],
    )
  const hours = async () =>
    (
      await pool.query<{ n: number; low: number }>(
        'select events::int as n, low from event_hours order by hour',
      )
    ).map(({ n, low }) => [n, low])
  await insert('1', '10 minutes', 100)
  await insert('1', '50 minutes', 100)
  await insert('1', '70 minutes', 100)
  await pool.query('select recount_series()')
  await follow()
  await pool.query(
    `update retention set keep_events = sealing.clock - date_trunc('hour', now(), 'UTC') + interval '39 days 23:30' from sealing`,
  )
  await pool.query('select drop_expired(5000)')
  assert.deepEqual(await pool.query('select count(*)::int as n from events'), [{ n: 200 }])

  await insert('2', '55 minutes', 150)
  await insert('2', '75 minutes', 50)
  // Nothing was counted there before, so nothing is lost.
  await insert('2', '-30 minutes', 7)
  await pool.query(
    `insert into event_hours_backlog (first_seen, last_seen) values (now() - interval '4 days', now())`,
  )
  await follow()
  assert.deepEqual(await hours(), [
    [7, 2],
    [200, 1],
    [150, 1],
  ])
  for (;;) if ((await pool.use(compareNext)).kind === 'end') break
  assert.deepEqual(await hours(), [
    [7, 2],
    [200, 1],
    [150, 1],
  ])
})

test('after a clock was ahead and is corrected back, hours are counted as before', async (t) => {
  const { pool, insert, chart, follow } = await open(t)
  await insert('a', `now() - i * interval '13 minutes'`)
  await follow()
  const [{ over } = { over: '' }] = await pool.query<{ over: string }>(
    'select covered_to::text as over from event_hours_state',
  )
  // The job ran while the clock was five years ahead.
  await pool.query(`update event_hours_state set covered_to = covered_to + interval '1826 days'`)
  // Arrived while the clock was ahead, and after it was corrected: in an hour that was not over then.
  await insert('ahead', `now() - interval '3 hours' - i * interval '0.1 s'`)
  await pool.query(`update events set ts_server = now() + interval '1826 days' where event_id like 'ahead%'`)
  await insert('corrected', `now() - interval '2 hours' - i * interval '0.1 s'`)
  await follow()
  assert.deepEqual(await pool.query('select covered_to::text as over from event_hours_state'), [{ over }])
  const hourly = await chart('d1')
  await pool.query('truncate event_hours; update event_hours_state set covered_to = null')
  assert.deepEqual(rounded(hourly), rounded(await chart('d1')))
})

test('two concurrent runs count once', async (t) => {
  const { insert, follow } = await open(t)
  await insert('a', `now() - i * interval '13 minutes'`)
  const done = await Promise.all([follow(), follow()])
  assert.ok(done.includes(true))
})

/** Sums added in a different order differ in the last digits. */
function rounded(line: Awaited<ReturnType<typeof readSeries>>['lines'][number] | undefined) {
  return { ...line, mean: line?.mean.map((mean) => Number(mean.toFixed(9))) }
}
