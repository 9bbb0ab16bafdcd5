import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import fc from 'fast-check'
import { QueryPool } from '../../src/database/query-pool.ts'
import { COLUMNS, INSERT, oddRows } from './odd-events.ts'

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 3, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query('create table sent as select * from events')
  await pool.query('update event_hours_state set covered_to = now()')
  return pool
}

interface Step {
  readonly events: number
  readonly is_end: boolean
}

async function sealAll(pool: QueryPool, atMost = 5_000): Promise<number> {
  await pool.query('select recount_series() where not exists (select from series)')
  for (let sealed = 0; ; ) {
    const [step] = await pool.query<Step>(`select * from seal_next('30 days', $1)`, [atMost])
    if (step === undefined || step.is_end) return sealed
    sealed += step.events
  }
}

/** How many events are rows, how many are sealed, and how many of `sent` come back as the same bytes. */
async function census(pool: QueryPool) {
  const [row] = await pool.query<{
    rows: number
    sealed: number
    segments: number
    same: number
    all: number
  }>(`
    select (select count(*)::int from events) as rows, (select coalesce(sum(events), 0)::int from event_segments) as sealed,
      (select count(*)::int from event_segments where content = segment_content(segment_id)) as segments,
      (select count(*)::int from sent s join event_history h on h.event_id = s.event_id and h.ts = s.ts where s *= h) as same,
      (select count(*)::int from event_history) as all`)
  return row
}

/** `count` regular events of a series from a time on, one every ten seconds. */
const REGULAR = `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, value_exact)
select 'd-1-' || i, 'd', 'temp', round((20 + sin(i / 100.0))::numeric, 2), '°C', at, at, at + i % 70 * interval '317 microseconds', 1, null
from (select i, $1::timestamptz + i * interval '10.003 seconds' as at from generate_series($2::int, $3::int) i) x`

test('any event comes out of its segment bit by bit', async (t) => {
  const pool = await open(t)
  await fc.assert(
    fc.asyncProperty(oddRows, async (rows) => {
      await pool.query('delete from events')
      await pool.query('delete from event_segments')
      await pool.query(INSERT, [JSON.stringify(rows)])
      await pool.query('delete from sent')
      await pool.query(`insert into sent select ${COLUMNS} from events`)
      assert.equal(await sealAll(pool), rows.length)
      const { segments, ...found } = (await census(pool)) ?? {}
      assert.deepEqual(found, { rows: 0, sealed: rows.length, same: rows.length, all: rows.length })
    }),
    { numRuns: 25 },
  )
})

test('only old events are sealed, about a thousand to a segment, and each once', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 4_321])
  await pool.query(REGULAR.replace(`'d-1-'`, `'d-2-'`), [new Date().toISOString(), -50, 0])
  await pool.query('insert into sent select * from events')
  assert.equal(await sealAll(pool), 4_321)
  assert.deepEqual(await census(pool), { rows: 51, sealed: 4_321, segments: 4, same: 4_372, all: 4_372 })
  assert.equal(await sealAll(pool), 0)
})

test('late events join the segment that they fall into, and segments do not overlap', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 3_000])
  assert.equal(await sealAll(pool), 3_000)
  for (const late of [1, 2, 3]) {
    await pool.query(REGULAR.replace(`'d-1-'`, `'late-${late}-'`), [
      `2026-06-01T00:00:0${late}.000001Z`,
      1,
      late === 2 ? 900 : 2,
    ])
    await sealAll(pool, 700)
  }
  await pool.query(REGULAR.replace(`'d-1-'`, `'before-'`), ['2026-05-30T00:00:00Z', 1, 3])
  await sealAll(pool)
  const [overlaps] = await pool.query<{ n: number }>(`
    select count(*)::int as n from event_segments a join event_segments b on a.segment_id <> b.segment_id
      and a.first_ts <= b.last_ts and b.first_ts <= a.last_ts`)
  assert.equal(overlaps?.n, 0)
  const { rows, sealed, all } = (await census(pool)) ?? {}
  assert.deepEqual({ rows, sealed, all }, { rows: 0, sealed: 3_907, all: 3_907 })
})

test('few events at the end of a series wait for more, a week at most; then small segments are merged', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, [new Date(Date.now() - 31 * 86_400_000).toISOString(), 1, 100])
  assert.equal(await sealAll(pool), 0)
  for (const days of [80, 70, 60]) {
    await pool.query(REGULAR.replace(`'d-1-'`, `'${days}-'`), [
      new Date(Date.now() - days * 86_400_000).toISOString(),
      ...[1, 100],
    ])
    await sealAll(pool)
  }
  const segments = await pool.query<{ events: number }>('select events from event_segments')
  assert.deepEqual(segments, [{ events: 400 }])
})

test('a series whose first event is too young is passed over without a look at its events', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, [new Date(Date.now() - 29 * 86_400_000).toISOString(), 1, 100])
  await pool.query('select recount_series()')
  await pool.query(`
    create or replace function sealable_events(of_device text, of_type text, since timestamptz, before timestamptz, seen_before timestamptz)
    returns table (event_id text, ts timestamptz) language plpgsql as $$ begin raise 'looked'; end $$`)
  const walk = async (after: string) =>
    (await pool.query('select is_end, fault from seal_next($1, 1)', [after]))[0]
  assert.deepEqual(await walk('30 days'), { is_end: true, fault: null })
  assert.deepEqual(await walk('28 days'), { is_end: false, fault: 'looked' })
})

test('an event is not sealed before numbers by the hour have counted it', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 2_000])
  await pool.query('update event_hours_state set covered_to = null')
  assert.equal(await sealAll(pool), 0)
  await pool.query(`update event_hours_state set covered_to = '2026-06-01T04:00Z'`)
  assert.equal(await sealAll(pool), 1_439)
  await pool.query('update event_hours_state set covered_to = now()')
  await pool.query(
    `insert into event_hours_backlog (first_seen, last_seen) values ('2026-06-01T05:00Z', '2026-06-01T05:00Z')`,
  )
  assert.equal(await sealAll(pool), 360)
  await pool.query('delete from event_hours_backlog')
  assert.equal(await sealAll(pool), 201)
})

test('the series take turns, a step each, so that rows which lie side by side are sealed at one time', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 2_500])
  await pool.query(`
    insert into events select 'e' || substr(event_id, 2), 'e', event_type, value_num, value_text, unit, ts, ts_device, ts_device_local,
      ts_device_raw, ts_server, schema, meta, value_exact from events where event_id <= 'd-1-2'`)
  await pool.query('select recount_series()')
  const steps: string[] = []
  for (;;) {
    const [step] = await pool.query<Step & { device_id: string }>(`select * from seal_next('30 days', 1000)`)
    if (step === undefined || step.is_end) break
    if (step.events > 0) steps.push(`${step.device_id} ${step.events}`)
  }
  assert.deepEqual(steps, ['d 1000', 'e 1000', 'd 1000', 'e 112', 'd 500'])
})

test('a segment that would give other events than it was made of stops the step, and nothing is deleted', async (t) => {
  const pool = await open(t)
  await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 1_500])
  await pool.query('insert into sent select * from events')
  await pool.query(`
    create function spoil() returns trigger language plpgsql as $$ begin new.numbers[7] := new.numbers[7] + 1e-12; return new; end $$;
    create trigger spoil before insert on event_segments for each row execute function spoil()`)
  assert.equal(await sealAll(pool), 0)
  await pool.query('update sealing set device_id = null, event_type = null')
  const [step] = await pool.query<{ fault: string }>(`select fault from seal_next('30 days', 5000)`)
  assert.match(step?.fault ?? '', /Sealing 1500 events of d temp would have changed them/)
  assert.deepEqual(await census(pool), { rows: 1_500, sealed: 0, segments: 0, same: 1_500, all: 1_500 })
})

const CHANGES = {
  updated: `update events set value_num = -0.0 where event_id = 'd-1-7'`,
  replaced: `delete from events where event_id = 'd-1-7';
    insert into events select 'd-9-7', device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
      ts_server, schema, meta, value_exact from events where event_id = 'd-1-8'
    on conflict do nothing`,
}
for (const [how, change] of Object.entries(CHANGES))
  test(`a row that is ${how} while its segment is made stops the step, and nothing is deleted`, async (t) => {
    const pool = await open(t)
    await pool.query(REGULAR, ['2026-06-01T00:00:00.123457Z', 1, 1_500])
    await pool.query('insert into sent select * from events')
    await pool.query('select recount_series()')
    await pool.query(`
      create function change() returns trigger language plpgsql as $$ begin ${change}; return new; end $$;
      create trigger change before insert on event_segments for each row execute function change()`)
    const [step] = await pool.query<{ fault: string }>(`select fault from seal_next('30 days', 5000)`)
    assert.match(step?.fault ?? '', /Sealing 1500 events of d temp would have lost some/)
    assert.deepEqual(await census(pool), { rows: 1_500, sealed: 0, segments: 0, same: 1_500, all: 1_500 })
  })
