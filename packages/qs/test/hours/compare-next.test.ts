import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { readSeries } from '../../src/console/queries/read-series.ts'
import { migrate } from '../../src/database/migrate.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { removeDevices } from '../../src/devices/remove-devices.ts'
import { type ComparedSeries, compareNext, recountProgress } from '../../src/hours/compare-next.ts'
import { followEvents } from '../../src/hours/event-hours.ts'

const DAY_MS = 86_400_000
const DEVICES = 5

/** Fifty days of two types in two units, with times in microseconds, counted by the hour. */
async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 4, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(`
    insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_server, schema)
    select 'e' || i, 'd' || i % ${DEVICES}, case when i % 2 = 0 then 'temp' else 'load' end, i % 47 + 0.1,
      case when i % 3 = 0 then '°C' when i % 3 = 1 then '°F' end, at, at + interval '20.000001 ms', 1
    from (select i, now() - i * interval '7 minutes 11.123457 s' as at from generate_series(1, 9000) i) x`)
  await pool.query('select recount_series()')
  await pool.use(followEvents)
  const kept = () =>
    pool.query(`
      select device_id, event_type, hour::text, unit, events::int, low, high, round(total::numeric, 6) as total
      from event_hours order by 1, 2, 3, 4`)
  const chart = async (deviceId: string) => {
    const [from, to] = [new Date(Date.now() - 52 * DAY_MS).toISOString(), new Date().toISOString()]
    const series = [{ deviceId, eventType: 'temp' }]
    const { lines } = await readSeries(pool, { series, from, to, points: 400, axis: 'event' })
    return lines.reduce((sum, { events }) => sum + events, 0)
  }
  return { url, pool, kept, chart }
}

/** Runs the walk to its end. */
async function walk(pool: QueryPool): Promise<readonly ComparedSeries[]> {
  const compared: ComparedSeries[] = []
  for (;;) {
    const step = await pool.use(compareNext)
    if (step.kind === 'end') return compared
    assert.equal(step.kind, 'series')
    compared.push(step)
  }
}

const sum = (steps: readonly ComparedSeries[], of: 'mended' | 'lacking' | 'unexplained') =>
  steps.reduce((total, step) => total + step[of], 0)

/** The state left by earlier versions: hours without some or all late events, and one unit for all. */
const EARLIER = `
  delete from event_hours where mod(extract(day from hour)::int, 3) = 0;
  with merged as (
    select device_id, event_type, hour, sum(events) as events, min(low) as low, max(high) as high, sum(total) as total
    from event_hours where mod(extract(day from hour)::int, 3) = 1 group by 1, 2, 3
  ), gone as (delete from event_hours where mod(extract(day from hour)::int, 3) = 1)
  insert into event_hours (device_id, event_type, hour, unit, events, low, high, total)
  select device_id, event_type, hour, '°K', events, low, high, total from merged;
  update event_hours set events = events - 1, total = total - low where events > 1 and unit <> '°K';
  update event_hours_state set recounted_at = null`

test('a recount corrects the hours of an earlier version, series by series, and continues where it stopped', async (t) => {
  const { pool, kept } = await open(t)
  const right = await kept()
  await pool.query(EARLIER)
  assert.notDeepEqual(await kept(), right)
  assert.equal(await pool.use(recountProgress), 0)

  const first = await pool.use(compareNext)
  assert.ok(first.kind === 'series' && first.isRecount && first.mended > 100, JSON.stringify(first))
  assert.equal(first.unexplained, 0, 'a recount is not a fault')
  assert.equal(await pool.use(recountProgress), 0.1)

  // The connection dies in the middle of the next series: it is rolled back and repeated by the next step.
  const before = await kept()
  await assert.rejects(
    pool.use(async (database) => {
      await database.query(`
        create function pg_temp.cut() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$;
        create trigger cut before update on event_hours_state for each row execute function pg_temp.cut()`)
      await compareNext(database)
    }),
  )
  assert.deepEqual(await kept(), before)
  assert.equal(await pool.use(recountProgress), 0.1)

  const rest: ComparedSeries[] = []
  while (rest.length < 9) rest.push((await pool.use(compareNext)) as ComparedSeries)
  assert.equal(await pool.use(recountProgress), 0.999, 'the walk has not ended yet')
  assert.deepEqual(await walk(pool), [])
  assert.deepEqual(
    rest.map(({ deviceId, eventType }) => `${deviceId} ${eventType}`),
    ['d0 temp', 'd1 load', 'd1 temp', 'd2 load', 'd2 temp', 'd3 load', 'd3 temp', 'd4 load', 'd4 temp'],
  )
  assert.deepEqual(await kept(), right)
  assert.equal(await pool.use(recountProgress), 1)
  const again = await walk(pool)
  assert.equal(sum(again, 'mended'), 0, 'nothing is left to mend')
  assert.ok(again.every(({ isRecount }) => !isRecount))
})

test('a chart read during a recount never has fewer events than before', async (t) => {
  const { pool, chart } = await open(t)
  await pool.query(EARLIER)
  const before = await chart('d4')
  const walked = walk(pool)
  let isDone = false
  walked.finally(() => {
    isDone = true
  })
  while (!isDone) assert.ok((await chart('d4')) >= before)
  await walked
  assert.equal(await chart('d4'), 900)
})

test('late events in the backlog explain a difference, others do not', async (t) => {
  const { pool, kept } = await open(t)
  const late = (id: string, device: string) =>
    pool.query(
      `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select $1 || i, $2, 'temp', 1e305, now() - i * interval '30 hours', '2026-11-28T07:15:30.123456Z', 1 from generate_series(1, 3) i`,
      [id, device],
    )
  const arrived = '2026-11-28T07:15:30.123456Z'
  await late('named', 'd1')
  await pool.query('insert into event_hours_backlog (first_seen, last_seen) values ($1, $1)', [arrived])
  const named = await walk(pool)
  assert.deepEqual([sum(named, 'mended'), sum(named, 'lacking'), sum(named, 'unexplained')], [3, 3, 0])
  const mended = await kept()
  await pool.use(followEvents)
  assert.deepEqual(await kept(), mended, 'processing the backlog changes nothing')

  await late('written by hand', 'd2')
  const found = (await walk(pool)).filter(({ mended }) => mended > 0)
  assert.deepEqual(found, [
    {
      ...{ kind: 'series', deviceId: 'd2', eventType: 'temp', isRecount: false },
      ...{ mended: 3, lacking: 3, unexplained: 3 },
    },
  ])
  assert.equal(sum(await walk(pool), 'mended'), 0)
})

test('batches committed during a walk cause no difference', async (t) => {
  const { pool } = await open(t)
  const batches = async (round: number) => {
    for (let batch = 0; batch < 10; batch++) {
      await pool.use(async (database) => {
        await database.query('begin')
        await database.query(
          `insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
          select 'batch' || $1 || '-' || i, 'd' || i % ${DEVICES}, 'temp', i, now() - i * interval '100 minutes', now(), 1
          from generate_series(1, 100) i`,
          [10 * round + batch],
        )
        await database.query('insert into event_hours_backlog (first_seen, last_seen) values (now(), now())')
        await database.query(`update series set last_seen = now() where event_type = 'temp'`)
        await database.query('commit')
      })
    }
  }
  for (let round = 0; round < 3; round++) {
    const [steps] = await Promise.all([walk(pool), batches(round)])
    assert.equal(sum(steps, 'unexplained'), 0)
    await pool.use(followEvents)
  }
})

test('numbers by the hour stay if their events were deleted, and hours with new events are counted again', async (t) => {
  const { pool, kept } = await open(t)
  const right = await kept()
  await pool.query(`delete from events where ts < now() - interval '20 days' and event_id like '%7'`)
  await pool.query(`delete from events where ts < now() - interval '30 days'`)
  assert.equal(sum(await walk(pool), 'mended'), 0)
  assert.deepEqual(await kept(), right)
})

test('a device removed during the walk leaves no hours', async (t) => {
  const { pool, kept } = await open(t)
  await pool.query(`delete from event_hours where device_id = 'd0'`)
  const waiting = async (count: number) => {
    const [row] = await pool.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return row?.n === count
  }
  await pool.use(async (database) => {
    await database.query('begin; lock table event_hours in share mode')
    const step = pool.use(compareNext)
    await until(() => waiting(1), 'the walk waits before it writes')
    const removed = removeDevices(pool, 'd0')
    await until(() => waiting(2), 'the removal waits for the walk')
    await database.query('commit')
    const { kind } = await step
    assert.equal(kind, 'series')
    assert.equal(await removed, 1_800)
  })
  const rows = await kept()
  assert.ok(rows.length > 0)
  assert.deepEqual(
    rows.filter((row) => (row as { device_id: string }).device_id === 'd0'),
    [],
  )
})

test('the walk needs only the rights of qs_ingester', async (t) => {
  const { url, pool, kept } = await open(t)
  const right = await kept()
  await pool.query(EARLIER)
  // The roles of a cluster are shared by the databases of this file.
  await pool.query(`do $$ begin
    if to_regrole('qs_ingester') is null then create role qs_ingester; end if; end $$`)
  await migrate(url)
  await pool.use(async (database) => {
    await database.query('set role qs_ingester')
    for (;;) if ((await compareNext(database)).kind === 'end') break
    assert.equal(await followEvents(database), true)
    assert.equal(await recountProgress(database), 1)
    await database.query('reset role')
  })
  assert.deepEqual(await kept(), right)
})
