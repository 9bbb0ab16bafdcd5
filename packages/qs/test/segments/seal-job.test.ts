import assert from 'node:assert/strict'
import { getPriority } from 'node:os'
import { type TestContext, test } from 'node:test'
import { instantFromMs } from '@qs-telemetry/protocol'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { clockAlarm } from '../../src/alarms/clock-alarm.ts'
import { roomAlarm } from '../../src/alarms/room-alarm.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { stepAside } from '../../src/embedded/postgres/step-aside.ts'
import type { Clock } from '../../src/pipeline/clock.ts'
import { SealJob } from '../../src/segments/seal-job.ts'

const DAY_MS = 86_400_000

/** Fires each timer as soon as it is set, so that the job works without pauses. */
function hastyClock(): Clock {
  return {
    now: () => instantFromMs(Date.now()),
    monotonicMs: () => performance.now(),
    after: (_ms, act) => {
      const timer = setImmediate(act)
      return () => clearImmediate(timer)
    },
    every: () => () => {},
  }
}

/** Three series of 4,000 old events, with the awkward values among them. */
const OLD = `
insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema, meta, value_exact)
select 'd' || d || '-1-' || i, 'd' || d, 'temp', case when i % 9 = 0 then '-0'::float8 when i % 10 > 0 then i / 7.0 end,
  case when i % 10 = 0 then 'text ' || i end, '°C', at, at, at + interval '20.000317 ms', 1,
  case when i % 5 = 0 then '{"n": 1.00}'::jsonb end, null
from generate_series(1, 3) d, lateral (
  select i, timestamptz '2026-06-01T00:00:00.123457Z' + (i * 10.003 + d) * interval '1 second' as at
  from generate_series(1, 4000) i) x`

async function open(t: TestContext, freeBytes: number | null = null) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 3, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query(OLD)
  await pool.query('create table sent as select * from events')
  await pool.query('select recount_series()')
  await pool.query('update event_hours_state set covered_to = now()')
  const counted = { events: 0 }
  const job = new SealJob({
    url,
    afterMs: 30 * DAY_MS,
    clock: hastyClock(),
    onConnect: stepAside,
    onDropped: () => {},
    freeBytes: async () => freeBytes,
    onSealed: (events) => {
      counted.events += events
    },
    log: silentLog().log,
  })
  const state = async () => {
    const [row] = await pool.query<{ rows: number; all: number; same: number; ended: boolean }>(`
      select (select count(*)::int from events) as rows, (select count(*)::int from event_history) as all,
        (select count(*)::int from sent s join event_history h on h.event_id = s.event_id and h.ts = s.ts where s *= h) as same,
        (select ended_at is not null from sealing) as ended`)
    assert.ok(row)
    return row
  }
  return { pool, job, counted, state }
}

/**
 * Ends its own session at some of the places where a step writes: after a segment, after the rows were deleted, and before
 * the place of the walk is written. The sequence counts attempts that were rolled back as well.
 */
const DIE = `
create sequence places;
create function die() returns trigger language plpgsql as $$ begin
  if nextval('places') = any('{2,5,6,11,13,14,15,19,22,27,31}') then perform pg_terminate_backend(pg_backend_pid()); end if;
  return new;
end $$;
create trigger die after insert on event_segments for each row execute function die();
create trigger die after delete on events for each statement execute function die();
create trigger die before update on sealing for each row execute function die()`

test('the job seals all old events, killed again and again, and none is lost, doubled or changed', async (t) => {
  const { pool, job, state } = await open(t)
  await pool.query(DIE)
  t.after(() => job.stop())
  job.start()
  for (let left = 12_000; left > 0; ) {
    const { rows, all, same } = await state()
    assert.deepEqual([all, same], [12_000, 12_000])
    left = rows
  }
  await until(async () => (await state()).ended, 'the walk has ended', 60_000)
  const [places] = await pool.query<{ n: number }>(`select last_value::int as n from places`)
  assert.ok((places?.n ?? 0) > 24, `${places?.n} places`)
})

test('after a jump of the clock the job seals nothing, and the alarm says what to do', async (t) => {
  const { pool, job, state } = await open(t)
  await pool.query(
    `update sealing set clock = clock - interval '400 days', read_at = read_at - interval '400 days', shown = array[clock - interval '400 days']`,
  )
  t.after(() => job.stop())
  const alarm = clockAlarm(() => job.clockJump)
  assert.equal(alarm.check(0), null)
  job.start()
  await until(() => alarm.check(0), 'the alarm', 60_000)
  assert.match(alarm.check(0) ?? '', /^the clock of the database went ahead by 400 days at once/)
  assert.equal((await state()).rows, 12_000)
})

test('with KEEP_FREE the job makes room on a short disk, and the alarm says what goes, or that it cannot see the disk', async (t) => {
  for (const [freeBytes, says] of [
    [
      1e6,
      /^0\.00 GB are free on the disk of the database, less than KEEP_FREE \(2\.00 GB\): .* 12000 so far/,
    ],
    [null, /^KEEP_FREE \(2\.00 GB\) has no effect: this process cannot see the disk/],
    [3e9, null],
  ] as const) {
    const { pool, job, state } = await open(t, freeBytes)
    await pool.query('update retention set keep_free = 2e9; update sealing set most_events = 0')
    for (let isEnd = false; !isEnd; )
      isEnd =
        (await pool.query<{ end: boolean }>(`select is_end as end from seal_next('30 days', 2000)`))[0]
          ?.end ?? true
    t.after(() => job.stop())
    job.start()
    await until(() => job.room, 'a look at the disk', 60_000)
    const text = roomAlarm(() => job.room).check(0)
    if (says === null) assert.equal(text, null)
    else assert.match(text ?? '', says)
    assert.equal((await state()).all, freeBytes === 1e6 ? 0 : 12_000)
  }
})

test('a stopped job starts where it was, and counts what it has sealed', async (t) => {
  const { job, counted, state } = await open(t)
  job.start()
  await until(() => counted.events >= 2_000, 'the first step is done', 60_000)
  await job.stop()
  const { rows, all, same } = await state()
  assert.deepEqual([all, same], [12_000, 12_000])
  assert.ok(rows <= 12_000 - counted.events)
})

test('on a PostgreSQL of its own, sealing works in the time that others leave', async (t) => {
  const { pool, job, state } = await open(t)
  job.start()
  t.after(() => job.stop())
  await until(async () => (await state()).ended, 'everything is sealed')
  const servers = await pool.query<{ pid: number; name: string }>(
    `select pid, application_name as name from pg_stat_activity where datname = current_database() and application_name <> 'test'`,
  )
  assert.deepEqual(
    servers.map(({ pid, name }) => [name, getPriority(pid)]),
    [['qs-sealing', 15]],
  )
  assert.doesNotThrow(() => stepAside(2 ** 22 + 1), 'a process that has ended')
})
