import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { readSeries, type SeriesQuestion } from '../../../src/console/queries/read-series.ts'
import { QueryPool } from '../../../src/database/query-pool.ts'
import { sparklines } from '../../../src/devices/sparklines.ts'
import { followEvents } from '../../../src/hours/event-hours.ts'

const TEMP = [{ deviceId: 'kitchen', eventType: 'temp' }]

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 30_000 })
  t.after(() => pool.end())
  /** One event per row: id, time, value, unit. */
  const store = async (...events: readonly (readonly [string, string, number, string | null])[]) => {
    await pool.query(
      `insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_server, schema)
      select id, 'kitchen', 'temp', value, unit, ts, ts, 1
      from json_to_recordset($1) as e(id text, ts timestamptz, value float8, unit text)`,
      [JSON.stringify(events.map(([id, ts, value, unit]) => ({ id, ts, value, unit })))],
    )
    await pool.query('select recount_series()')
  }
  const lines = async (question: Omit<SeriesQuestion, 'series' | 'axis'>) =>
    (await readSeries(pool, { series: TEMP, axis: 'event', ...question })).lines
  return { pool, store, lines }
}

test('a line has one unit: a series with three units has three lines, as events, in buckets and by the hour', async (t) => {
  const { pool, store, lines } = await open(t)
  const units = ['°C', '°F', null] as const
  const values = { '°C': 20, '°F': 70, null: 293 }
  const startMs = Date.now() - 40 * 86_400_000
  const events = Array.from({ length: 1_200 }, (_, i) => {
    const unit = units[i % 3] ?? null
    const at = new Date(startMs + i * 2_880_000).toISOString().replace('Z', '123Z')
    return [`e${i}`, at, values[unit ?? 'null'] + (i % 5), unit] as const
  })
  await store(...events)
  const [from, to] = [new Date(startMs - 1).toISOString(), new Date().toISOString()]

  for (const [what, points] of [
    ['events', 2_000],
    ['buckets of events', 1_000],
  ] as const) {
    const drawn = await lines({ from, to, points })
    assert.deepEqual(
      drawn.map(({ unit, min, max, events }) => [unit, Math.min(...min), Math.max(...max), events]),
      [
        [null, 293, 297, 400],
        ['°C', 20, 24, 400],
        ['°F', 70, 74, 400],
      ],
      what,
    )
  }
  const fromEvents = await lines({ from, to, points: 1_000 })
  await pool.use(followEvents)
  const [state] = await pool.query<{ n: number }>('select count(*)::int as n from event_hours')
  assert.ok(state && state.n > 1_100)
  assert.deepEqual(await lines({ from, to, points: 1_000 }), fromEvents, 'from the hours')
})

test('a chart begins and ends at the microsecond, also when drawn by the hour', async (t) => {
  const { pool, store, lines } = await open(t)
  await store(
    ['a', '2026-10-01T10:00:00.000399Z', 1, null],
    ['b', '2026-10-01T10:00:00.000400Z', 2, null],
    ['c', '2026-11-20T10:00:00.000599Z', 3, null],
    ['d', '2026-11-20T10:00:00.000600Z', 4, null],
    ...Array.from({ length: 20 }, (_, i) => [`m${i}`, `2026-11-01T00:00:${10 + i}Z`, 2.5, null] as const),
  )
  await pool.query(`update event_hours_state set covered_to = null`)
  const range = { from: '2026-10-01T10:00:00.000400Z', to: '2026-11-20T10:00:00.000600Z' }
  for (const points of [10, 800]) {
    const [line] = await lines({ ...range, points })
    assert.deepEqual([line?.events, line?.min[0], line?.max.at(-1)], [22, 2, 3], `${points} points`)
  }
  await pool.use(followEvents)
  const [line] = await lines({ ...range, points: 10 })
  assert.deepEqual([line?.events, line?.min[0], line?.max.at(-1)], [22, 2, 3], 'by the hour')
})

test('a counter in the unit does not turn each event into a line', async (t) => {
  const { pool, store, lines } = await open(t)
  const events = Array.from({ length: 400 }, (_, i) => {
    const at = new Date(Date.now() - (i + 1) * 3_600_000).toISOString()
    return [`e${i}`, at, i, i % 2 === 0 ? '°C' : `unit ${i}`] as const
  })
  await store(...events)
  const question = {
    from: new Date(Date.now() - 60 * 86_400_000).toISOString(),
    to: new Date().toISOString(),
  }
  const check = async (points: number) => {
    const drawn = await lines({ ...question, points })
    assert.equal(drawn.length, 8)
    assert.equal(drawn.find(({ unit }) => unit === '°C')?.events, 200)
  }
  await check(800)
  await check(300)
  await pool.use(followEvents)
  await check(300)
})

test('a sparkline shows the newest unit', async (t) => {
  const { pool, store } = await open(t)
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  await store(['a', ago(10), 70, '°F'], ['b', ago(9.9), 20, '°C'], ['c', ago(1), 21, '°C'])
  const to = new Date()
  const from = new Date(to.getTime() - 3 * 3_600_000)
  const { lines } = await sparklines(pool, { devices: ['kitchen'], from, to })
  assert.deepEqual(
    lines[0]?.means.filter((mean) => mean !== null),
    [20, 21],
  )
})
