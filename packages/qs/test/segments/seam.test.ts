import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { TimeAxis } from '@qs-telemetry/protocol/api'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { exportRows } from '../../src/console/queries/export-rows.ts'
import { listEvents, readCursor } from '../../src/console/queries/list-events.ts'
import { readSeries } from '../../src/console/queries/read-series.ts'
import { readStates } from '../../src/console/queries/read-states.ts'
import { askClient } from '../../src/database/ask-client.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { mendTimes } from '../../src/devices/mend-times.ts'
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

/** Sixty days of local times of Berlin, over the end of summer time, read in the zone of each device. */
const LOCAL = `
insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_device_local, ts_server, schema)
select d.id || '-' || x.i, d.id, case when x.i % 4 = 0 then 'door' else 'temp' end, x.i % 64 / 2.0,
  case when read.at between x.at - interval '90 days' and x.at + interval '1 hour' then read.at else x.at + interval '7 seconds' end,
  read.at, x.at at time zone 'Europe/Berlin', x.at + interval '7 seconds', 1
from (values ('right', 'Europe/Berlin'), ('ahead', 'America/Los_Angeles'), ('behind', 'Asia/Tokyo')) as d(id, zone),
  lateral (select i, timestamptz '2026-11-26Z' - interval '60 days' + i * interval '12 minutes 3.123457 seconds' as at
    from generate_series(1, 7100) i) x,
  lateral (select case when d.id = 'right' then x.at else x.at at time zone 'Europe/Berlin' at time zone d.zone end as at) read`

test('local times of a wrong zone are mended: rows, sealed events, numbers by the hour and series', async (t) => {
  const pool = new QueryPool(await migratedDatabase(t), { name: 'test', connections: 3, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(LOCAL)
  await pool.query('select recount_series()')
  await pool.use(followEvents)
  await seal(pool)
  const config = configOf()
  const of = async (deviceId: string) => {
    const withoutId = `'${deviceId}', 'x'`
    return [
      await pool.query(
        `select replace(event_id, ${withoutId}) as id, value_num, ts::text, ts_device::text, ts_device_local::text
         from event_history where device_id = $1 order by 1`,
        [deviceId],
      ),
      await pool.query(
        'select event_type, hour::text, events, low, high, total from event_hours where device_id = $1 order by 1, 2',
        [deviceId],
      ),
      await pool.query(
        `select event_type, events, first_ts::text, ts::text, replace(event_id, ${withoutId}) as id, value_num
         from series where device_id = $1 order by 1`,
        [deviceId],
      ),
    ]
  }
  const right = await of('right')
  for (const deviceId of ['ahead', 'behind']) {
    assert.notDeepEqual(await of(deviceId), right)
    const mended = await pool.use((client) =>
      mendTimes(askClient(client), { deviceId, zone: 'Europe/Berlin', config }),
    )
    assert.equal(mended.events, 7_100)
    assert.ok(mended.unpacked > 2_000, `${mended.unpacked} unpacked`)
    const [history, hours, series] = await of(deviceId)
    assert.deepEqual(history, right[0])
    assert.deepEqual(hours, right[1])
    assert.deepEqual(series, right[2])
  }
  await pool.use(async (client) => {
    const again = await mendTimes(askClient(client), { deviceId: 'right', zone: 'Europe/Berlin', config })
    assert.deepEqual(again, { events: 0, unpacked: 0 })
  })
  await seal(pool)
  assert.deepEqual(await of('ahead'), right, 'sealed again')
})
