import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TimeAxis } from '@qs-telemetry/protocol/api'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { exportRows } from '../../src/console/queries/export-rows.ts'
import { listEvents, readCursor } from '../../src/console/queries/list-events.ts'
import { readSeries } from '../../src/console/queries/read-series.ts'
import { readStates } from '../../src/console/queries/read-states.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { removeDevices } from '../../src/devices/remove-devices.ts'
import { compareNext } from '../../src/hours/compare-next.ts'
import { followEvents } from '../../src/hours/event-hours.ts'

const AXES: readonly TimeAxis[] = ['event', 'device', 'server']
const SERIES = [
  { deviceId: 'd1', eventType: 'temp' },
  { deviceId: 'd1', eventType: 'door' },
]

/** Sixty days of two devices; the halves of each number add up exactly, in any order. */
const EVENTS = `
insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema, value_exact)
select 'd' || d || '-' || i, 'd' || d, case when i % 4 = 0 then 'door' else 'temp' end,
  case when i % 4 > 0 then i % 64 / 2.0 end, case when i % 8 = 0 then 'open' when i % 4 = 0 then 'closed' end,
  case when i % 4 > 0 then case when i < 2000 then '°F' else '°C' end end,
  at, at, at + i % 3 * interval '7 seconds 123457 us', 1, null
from generate_series(1, 2) d, lateral (
  select i, date_trunc('hour', now()) - interval '60 days' + i * interval '12 minutes 3.123457 seconds' as at
  from generate_series(1, 7100) i) x`

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 3, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(EVENTS)
  await pool.query('select recount_series()')
  await pool.use(followEvents)
  return pool
}

/** The older half, series by series, whether a segment is full or not. */
async function seal(pool: QueryPool): Promise<void> {
  for (;;) {
    const [step] = await pool.query<{ is_end: boolean }>(`select * from seal_next('30 days', 2000)`)
    if (step?.is_end) break
  }
  const [sealed] = await pool.query<{ n: number }>('select sum(events)::int as n from event_segments')
  assert.ok((sealed?.n ?? 0) > 4_000, `${sealed?.n} sealed`)
}

/** Every answer that the console gives about a range. */
async function answers(pool: QueryPool) {
  const [now, day] = [Date.now(), 86_400_000]
  const range = (from: number, to: number) => ({
    from: new Date(now - from * day).toISOString().replace('Z', '457Z'),
    to: new Date(now - to * day).toISOString().replace('Z', '457Z'),
  })
  const found: unknown[] = []
  for (const axis of AXES) {
    for (const span of [range(61, 0), range(33, 29), range(45, 44), range(40, 39.9)]) {
      for (const points of [800, 100])
        found.push((await readSeries(pool, { series: SERIES, ...span, points, axis })).lines)
      found.push((await readStates(pool, { series: SERIES, ...span, axis })).states)
      const exported: unknown[] = []
      for await (const part of exportRows(pool, { series: SERIES, ...span, axis }))
        exported.push(
          ...part.map(({ eventId, ts, ...rest }) => [
            eventId,
            ts,
            rest.valueNum,
            rest.valueText,
            rest.tsServer,
          ]),
        )
      found.push(exported)
    }
  }
  return found
}

async function listed(pool: QueryPool, deviceId?: string): Promise<readonly string[]> {
  const ids: string[] = []
  for (let after: ReturnType<typeof readCursor> | undefined; ; ) {
    const page = await listEvents(pool, {
      limit: 1_000,
      ...(deviceId !== undefined && { deviceId }),
      ...(after && { after }),
    })
    ids.push(...page.events.map(({ eventId }) => eventId))
    if (page.next === null) return ids
    after = readCursor(page.next)
  }
}

test('charts, states, exports and lists across the seam are those from rows only', async (t) => {
  const pool = await open(t)
  const fixed = Date.now()
  t.mock.timers.enable({ apis: ['Date'], now: fixed })
  const [before, all, own] = [await answers(pool), await listed(pool), await listed(pool, 'd1')]
  assert.equal(all.length, 14_200)
  await seal(pool)
  assert.deepEqual(await answers(pool), before)
  assert.deepEqual(await listed(pool), all)
  assert.deepEqual(await listed(pool, 'd1'), own)
})

test('sealing changes neither numbers by the hour nor a recount of series', async (t) => {
  const pool = await open(t)
  const hours = () => pool.query('select * from event_hours order by 1, 2, 3, 4')
  const series = () => pool.query('select * from series order by 1, 2')
  const before = [await hours(), await series()]
  await seal(pool)
  await pool.query('update event_hours_state set recounted_at = null')
  for (;;) {
    const step = await pool.use(compareNext)
    if (step.kind === 'end') break
    assert.ok(step.kind === 'series' && step.mended === 0, JSON.stringify(step))
  }
  await pool.query('select recount_series()')
  assert.deepEqual([await hours(), await series()], before)
})

test('a removed device leaves no segments', async (t) => {
  const pool = await open(t)
  await seal(pool)
  assert.equal(await removeDevices(pool, 'd1'), 7_100)
  assert.deepEqual(await pool.query('select distinct device_id from event_history'), [{ device_id: 'd2' }])
  assert.deepEqual(await pool.query('select distinct device_id from event_segments'), [{ device_id: 'd2' }])
})

test('removal waits for a step of sealing before it locks any event', async (t) => {
  const pool = await open(t)
  let removed: Promise<number> | undefined
  await pool.use(async (sealing) => {
    await sealing.query('begin')
    await sealing.query(`select * from seal_next('30 days', 2000)`)
    removed = removeDevices(pool, 'd')
    await until(async () => {
      const waiting = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
      )
      return waiting.length === 1
    }, 'the removal waits for the step')
    await sealing.query(`select from events where device_id = 'd2' for update nowait`)
    await sealing.query('commit')
  })
  assert.equal(await removed, 14_200)
  assert.deepEqual(await pool.query('select from event_history'), [])
})
