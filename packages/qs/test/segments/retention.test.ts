import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freshDatabase, migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { migrate, readMigrations } from '../../src/database/migrate.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { clockJump } from '../../src/segments/clock-jump.ts'
import { type DropStep, dropExpired } from '../../src/segments/drop-expired.ts'
import { applyKeepPolicy } from '../../src/segments/keep-policy.ts'
import {
  expiredEvents,
  keepDefaults,
  keepRules,
  removeKeepRule,
  setKeepRule,
} from '../../src/segments/keep-rules.ts'

const DAY_MS = 86_400_000

/** For each of two boards and two types: one event every six hours for `days` days, the newest an hour ago. */
const FLEET = `
insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_server, schema)
select d || t || i, d, t, i, at, at, at, 1
from unnest('{board-1,boiler_1}'::text[]) d, unnest('{temp,door}'::text[]) t, generate_series(0, 4 * $1::int - 1) i,
  lateral (select now() - interval '1 hour' - i * interval '6 hours' as at) x`

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(FLEET, [400])
  await pool.query('update event_hours_state set covered_to = now()')
  await pool.query('select recount_series()')
  const seal = async () => {
    for (;;) {
      const [step] = await pool.query<{ is_end: boolean }>(`select * from seal_next('30 days', 2000)`)
      if (step?.is_end) return
    }
  }
  const drop = async () => {
    const steps: DropStep[] = []
    do steps.push(await dropExpired(pool))
    while (!steps.at(-1)?.isEnd)
    return steps.reduce((sum, { events }) => sum + events, 0)
  }
  /** Events by series, and the age of the oldest in days. */
  const left = async () => {
    const rows = await pool.query<{ series: string; events: number; days: number }>(`
      select device_id || ' ' || event_type as series, count(*)::int as events,
        ceil(extract(epoch from now() - min(ts)) / 86400)::int as days
      from event_history group by 1 order by 1`)
    return Object.fromEntries(rows.map(({ series, events, days }) => [series, [events, days]]))
  }
  /** The clock goes on by `time`, seen from what was read of it. */
  const clockGoesOn = (time: string) =>
    pool.query(
      `update sealing set read_at = read_at - $1::interval, clock = clock - $1::interval,
        shown = array(select at - $1::interval from unnest(shown) at)`,
      [time],
    )
  const keep = (events: number | 'forever' | null, hours: number | null = null) =>
    applyKeepPolicy(String(url), {
      eventsMs: typeof events === 'number' ? events * DAY_MS : events,
      hoursMs: hours === null ? null : hours * DAY_MS,
      freeBytes: null,
    })
  return { url, pool, seal, drop, left, clockGoesOn, keep }
}

const ALL = [1_600, 400] as const

test('without KEEP_EVENTS nothing is ever deleted', async (t) => {
  const { pool, seal, drop, left } = await open(t)
  await seal()
  assert.deepEqual(await keepDefaults(pool), { events: null, hours: null })
  assert.deepEqual(await expiredEvents(pool), [])
  assert.equal(await drop(), 0)
  assert.deepEqual(Object.values(await left()), [ALL, ALL, ALL, ALL])
})

test('older events go, sealed or not, what an exception keeps stays, and the dry run says so before', async (t) => {
  const { pool, seal, drop, left, keep } = await open(t)
  await keep(100)
  await setKeepRule(pool, { devices: 'boiler_*', types: '*', days: null })
  await setKeepRule(pool, { devices: '*', types: 'door', days: 10 })
  await setKeepRule(pool, { devices: 'board_1', types: '*', days: 500 })
  assert.equal((await keepRules(pool)).length, 3)
  // Of two exceptions the longest holds, and _ is no placeholder.
  const expired = await expiredEvents(pool)
  assert.deepEqual(
    expired.map(({ deviceId, eventType, events }) => [deviceId, eventType, events]),
    [
      ['board-1', 'door', 1_560],
      ['board-1', 'temp', 1_200],
    ],
  )
  assert.equal(await drop(), 2_760)
  const kept = {
    'board-1 door': [40, 10],
    'board-1 temp': [400, 100],
    'boiler_1 door': ALL,
    'boiler_1 temp': ALL,
  }
  assert.deepEqual(await left(), kept)

  await seal()
  assert.equal(await removeKeepRule(pool, { devices: 'boiler_*', types: '*' }), true)
  assert.equal(await removeKeepRule(pool, { devices: 'boiler_*', types: '*' }), false)
  // The segment of boiler_1 temp reaches from 400 to 30 days: it goes as a whole, when its last event is too old.
  assert.equal(await drop(), 1_560)
  assert.deepEqual(await left(), { ...kept, 'boiler_1 door': [40, 10] })
  await pool.query(`update retention set keep_events = '25 days'`)
  assert.deepEqual(
    (await expiredEvents(pool)).map(({ events }) => events),
    [300, 1_500],
  )
  assert.equal(await drop(), 1_800)
  assert.equal(await drop(), 0)
})

test('numbers by the hour stay, and events that they have not counted yet', async (t) => {
  const { pool, drop, left, keep } = await open(t)
  await pool.query(`
    insert into event_hours (device_id, event_type, hour, unit, events, low, high, total)
    select device_id, event_type, date_bin('1 hour', ts, 'epoch'), '', 1, value_num, value_num, value_num from events`)
  const hours = async () =>
    (await pool.query<{ n: number }>('select count(*)::int as n from event_hours'))[0]?.n
  await keep(100)
  await pool.query(`update event_hours_state set covered_to = now() - interval '200 days'`)
  await drop()
  assert.deepEqual(Object.values(await left()), Array(4).fill([800, 200]))
  await pool.query('update event_hours_state set covered_to = now()')
  await drop()
  assert.deepEqual(Object.values(await left()), Array(4).fill([400, 100]))
  assert.equal(await hours(), 6_400)
  await keep(100, 200)
  await drop()
  assert.equal(await hours(), 3_200)
})

test('a role that may not change the policy is told so, and a repeated one is the same', async (t) => {
  const { pool, keep } = await open(t)
  assert.equal(await keep(100, 200), true)
  assert.equal(await keep(100, 200), true)
  assert.deepEqual(await keepDefaults(pool), { events: 100, hours: 200 })
})

test('an unset setting leaves the stored policy as it is, and forever ends it', async (t) => {
  const { pool, keep } = await open(t)
  await keep(100, 200)
  assert.equal(await keep(null), true)
  assert.deepEqual(await keepDefaults(pool), { events: 100, hours: 200 })
  assert.equal(await keep('forever'), true)
  assert.deepEqual(await keepDefaults(pool), { events: null, hours: 200 })
})

/** Runs the two jobs for so many hours of running. */
async function runFor(
  hours: number,
  { clockGoesOn, drop }: Awaited<ReturnType<typeof open>>,
): Promise<number> {
  let dropped = 0
  for (let half = 0; half < 2 * hours; half++) {
    await clockGoesOn('30 minutes')
    dropped += await drop()
  }
  return dropped
}

test('a clock that jumps ahead deletes and seals nothing for two days of running, and corrected back nothing at all', async (t) => {
  const qs = await open(t)
  const { pool, seal, drop, left, clockGoesOn, keep } = qs
  // What is 100 days old now was 10 days old before the clock went ahead by 90, and nothing was to be sealed.
  await pool.query(`delete from events where ts < now() - interval '110 days'`)
  await clockGoesOn('90 days')
  await keep(100)
  assert.deepEqual(await expiredEvents(pool), [])
  assert.equal(await drop(), 0)
  await seal()
  assert.deepEqual(await pool.query('select from event_segments'), [])
  const jump = await clockJump(pool)
  assert.equal(Math.round(jump?.days ?? 0), 90)
  assert.equal(await runFor(47, qs), 0)

  // Corrected back by 90 days and 47 hours: what was read of the clock is still to come.
  await clockGoesOn('-2207 hours')
  await keep(500)
  assert.equal(await drop(), 0)
  assert.equal(await clockJump(pool), null)
  await keep(100)
  assert.ok((await drop()) > 0)
  assert.deepEqual(Object.values(await left()), Array(4).fill([400, 100]))
})

test('a machine that was off for three months deletes after two days of running, and has an alarm until then', async (t) => {
  const qs = await open(t)
  const { pool, left, clockGoesOn, keep, drop } = qs
  await keep(100)
  await drop()
  assert.equal(await clockJump(pool), null)
  await keep(50)
  await clockGoesOn('90 days')
  assert.equal(await runFor(48, qs), 0)
  assert.ok((await clockJump(pool)) !== null)
  assert.ok((await runFor(2, qs)) > 0)
  // The clock that counts is two days late.
  for (const [, days] of Object.values(await left()))
    assert.ok((days ?? 0) >= 50 && (days ?? 0) <= 53, `${days}`)
  assert.equal(await clockJump(pool), null)
})

test('on a machine that runs for a few hours a week the clock goes on too, some weeks late', async (t) => {
  const qs = await open(t)
  for (let week = 0; week < 8; week++) {
    await qs.clockGoesOn('7 days')
    await runFor(8, qs)
  }
  const [row] = await qs.pool.query<{ days: number }>(
    'select extract(epoch from now() - clock)::float8 / 86400 as days from sealing',
  )
  assert.equal(Math.floor((row?.days ?? 0) / 7), 6)
})

test('a machine whose newest event is old when it is migrated was off, and its clock is new', async (t) => {
  const url = await freshDatabase(t)
  const migrations = await readMigrations()
  await migrate(
    url,
    migrations.filter(({ name }) => name < '0025'),
  )
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(FLEET, [400])
  await pool.query(`delete from events where ts > now() - interval '60 days'`)
  await migrate(url)
  assert.equal(Math.round((await clockJump(pool))?.days ?? 0), 60)
})
