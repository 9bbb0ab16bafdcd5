import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { applyKeepPolicy } from '../../src/segments/keep-policy.ts'
import { setKeepRule } from '../../src/segments/keep-rules.ts'
import { makeRoom } from '../../src/segments/make-room.ts'
import { smallDisk } from './small-disk.ts'

const KEEP_FREE = 2 ** 30
const [PLENTY, SHORT] = [2 * KEEP_FREE, KEEP_FREE / 2]

/** Events of three boards, ten minutes apart, from so many days ago on. */
const OLD = `
insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
select 'd' || d || '-' || $1::int || '-' || i, 'd' || d, 'temp', i, at, at, 1
from generate_series(1, 3) d, generate_series(0, $2::int - 1) i,
  lateral (select now() - $1::int * interval '1 day' + i * interval '10 minutes' as at) x`

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query('update event_hours_state set covered_to = now()')
  await applyKeepPolicy(url, { eventsMs: null, hoursMs: null, freeBytes: KEEP_FREE })
  const seal = async (days: number, count: number) => {
    await pool.query(OLD, [days, count])
    await pool.query('select recount_series()')
    await sealAll(pool)
  }
  /** By device: how many events there are, and from which day on. */
  const left = async () => {
    const rows = await pool.query<{ device: string; events: number; days: number }>(`
      select device_id as device, count(*)::int as events, round(extract(epoch from now() - min(ts)) / 86400)::int as days
      from event_history group by 1 order by 1`)
    return Object.fromEntries(rows.map(({ device, events, days }) => [device, [events, days]]))
  }
  return { pool, seal, left }
}

async function sealAll(pool: QueryPool): Promise<void> {
  for (;;) {
    const [step] = await pool.query<{ is_end: boolean }>(`select is_end from seal_next('30 days', 2000)`)
    if (step?.is_end) return
  }
}

test('on a short disk the oldest segments go for those that are sealed, and no more however often it is short', async (t) => {
  const { pool, seal, left } = await open(t)
  const room = async (freeBytes: number | null) => {
    const { events, keepFreeBytes } = await makeRoom(pool, freeBytes)
    assert.equal(keepFreeBytes, KEEP_FREE)
    return events
  }
  await seal(400, 3_000)
  assert.deepEqual(await left(), { d1: [3_000, 400], d2: [3_000, 400], d3: [3_000, 400] })
  for (const free of [PLENTY, SHORT, SHORT, PLENTY, SHORT, SHORT]) assert.equal(await room(free), 0)
  // The second thousand of each board comes as well, and takes the first one's place.
  await seal(300, 1_000)
  assert.equal(await room(null), 0)
  assert.equal(await room(SHORT), 3_000)
  assert.equal(await room(SHORT), 0)
  assert.deepEqual(await left(), { d1: [3_000, 393], d2: [3_000, 393], d3: [3_000, 393] })
  assert.deepEqual(
    await pool.query('select room_events::int as events, room_at is not null as at from sealing'),
    [{ events: 3_000, at: true }],
  )
  assert.deepEqual(await pool.query('select device_id from dropped_series order by 1'), [
    { device_id: 'd1' },
    { device_id: 'd2' },
    { device_id: 'd3' },
  ])
  // With space again, segments grow.
  assert.equal(await room(PLENTY), 0)
  await seal(200, 1_000)
  assert.equal(await room(SHORT), 0)
  assert.deepEqual(await left(), { d1: [4_000, 393], d2: [4_000, 393], d3: [4_000, 393] })
})

test('rows are not deleted for space, nor what an exception keeps for ever, nor anything without KEEP_FREE', async (t) => {
  const { pool, seal, left } = await open(t)
  await setKeepRule(pool, { devices: 'd1', types: '*', days: null })
  await seal(400, 1_000)
  await pool.query(OLD, [20, 2_000])
  await makeRoom(pool, SHORT)
  await seal(300, 4_000)
  await pool.query('update retention set keep_free = null')
  assert.deepEqual(await makeRoom(pool, SHORT), { keepFreeBytes: null, events: 0, segments: 0 })
  await pool.query('update retention set keep_free = $1', [KEEP_FREE])
  await pool.query('update sealing set most_events = 0')
  assert.equal((await makeRoom(pool, SHORT)).events, 10_000)
  assert.deepEqual(await left(), { d1: [7_000, 400], d2: [2_000, 20], d3: [2_000, 20] })
})

/** Heavy events, so that a small disk is full soon: a kilobyte of text that cannot be compressed. */
const HEAVY = `
insert into events (event_id, device_id, event_type, value_text, ts, ts_server, schema)
select 'd-1-' || i, 'd', 'text', (select string_agg(md5(i || ' ' || n), '') from generate_series(1, 32) n), at, at, 1
from generate_series($1::int, $2::int) i, lateral (select timestamptz '2026-01-01Z' + i * interval '10 seconds' as at) x`
const ROUND = 4_000
const ROUNDS = 60

test('a disk of 256 MB takes in 245 MB and is never full; the newest events are all there', async (t) => {
  const disk = await smallDisk(t, 256)
  if (disk === null) return t.skip('needs root and mount, for a file system of its own')
  const pool = new QueryPool(disk.url, { name: 'test', connections: 1, timeoutMs: 60_000 })
  t.after(() => pool.end())
  await pool.query('update event_hours_state set covered_to = now()')
  await pool.query(`update retention set keep_free = 64 * 1048576`)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    await pool.query(HEAVY, [round * ROUND + 1, (round + 1) * ROUND])
    if (round === 0) await pool.query('select recount_series()')
    await sealAll(pool)
    await makeRoom(pool, disk.freeBytes())
    // Autovacuum has a minute for what takes a second here.
    await pool.query('vacuum events')
    await pool.query('vacuum event_segments')
    least = Math.min(least, disk.freeBytes())
  }
  const [found] = await pool.query<{ all: number; first: number; last: number; gone: number }>(`
    select count(*)::int as all, min(substr(event_id, 5)::int) as first, max(substr(event_id, 5)::int) as last,
      (select room_events::int from sealing) as gone from event_history`)
  assert.ok(found)
  const sent = ROUND * ROUNDS
  assert.ok(found.gone > sent / 4, `${found.gone} of ${sent} were deleted`)
  assert.deepEqual(found, { all: sent - found.gone, first: found.gone + 1, last: sent, gone: found.gone })
  assert.ok(least > 0)
  t.diagnostic(`${found.gone} of ${sent} events deleted, at least ${(least / 1e6).toFixed(1)} MB free`)
})
