import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { withClient } from '../../src/database/open-client.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { removeDevices } from '../../src/devices/remove-devices.ts'
import { findGaps } from '../../src/gaps/find-gaps.ts'

const FOLLOW = 'select events::int, is_end as "isEnd" from follow_numbers($1)'
const RANGES = `
select device_id || ' ' || epoch as of, string_agg(first_number || '-' || last_number, ' ' order by first_number) as ranges
from received_numbers group by 1 order by 1`

const WAITS = `
select from pg_locks where locktype = 'advisory' and not granted
  and database = (select oid from pg_database where datname = current_database())`

interface Sent {
  readonly id: string
  readonly device: string
  /** Seconds after the start, as an arrival. */
  readonly at?: number
}

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 3, timeoutMs: 30_000 })
  t.after(() => pool.end())
  /** As the sink: events that are there already are duplicates, and the batch says when it arrived. */
  const store = (events: readonly Sent[], history = false) =>
    pool.query(
      `with given as (
         select id, device, timestamptz '2026-11-01T00:00:00.123457Z' + at * interval '1 second' as seen
         from json_to_recordset($1::json) as x(id text, device text, at float8)
       ), stored as (
         insert into events (event_id, device_id, event_type, ts, ts_server, schema)
         select id, device, 'temp', seen, seen, 1 from given on conflict do nothing
       )
       insert into received_pending select min(seen), max(seen), $2 from given`,
      [JSON.stringify(events.map((each) => ({ at: 0, ...each }))), history],
    )
  const follow = async (most = 1_000, after = async () => {}) => {
    for (let isEnd = false; !isEnd; ) {
      const [step] = await pool.query<{ isEnd: boolean }>(FOLLOW, [most])
      isEnd = step?.isEnd ?? true
      await after()
    }
  }
  const ranges = async () =>
    (await pool.query<{ of: string; ranges: string }>(RANGES)).map((each) => `${each.of}: ${each.ranges}`)
  return { url, pool, store, follow, ranges }
}

/** A generator with a seed (mulberry32), so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** What came, as ranges, and what is missing between them. */
function modelOf(numbers: ReadonlySet<number>) {
  const ranges: [number, number][] = []
  for (const number of [...numbers].sort((one, other) => one - other)) {
    const last = ranges.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else ranges.push([number, number])
  }
  const [first, end] = [ranges[0]?.[0] ?? 0, ranges.at(-1)?.[1] ?? -1]
  return {
    text: ranges.map((range) => range.join('-')).join(' '),
    missing: end - first + 1 - numbers.size,
    gaps: ranges.length - 1,
    numbers: numbers.size,
  }
}

test('in any order, with duplicates, late events, steps that are rolled back and two ingesters, the ranges are those of what is stored', async (t) => {
  const { pool, store, follow, ranges } = await open(t)
  const seed = Number(process.env.GAPS_SEED ?? 1 + Math.floor(Math.random() * 1e9))
  const random = randomOf(seed)
  const models = new Map<string, Set<number>>()
  const lost = new Set(Array.from({ length: 30 }, () => random(250)))
  for (let round = 0; round < 50; round++) {
    const events = Array.from({ length: 1 + random(80) }, () => {
      const [device, epoch] = [`d${random(3)}`, `e${random(2)}`]
      // Mostly in order, with late ones.
      const number = Math.max(0, Math.min(249, round * 5 + random(20) - random(random(4) === 0 ? 200 : 10)))
      return { device, epoch, number, at: random(3_600) }
    }).filter(({ number }) => !lost.has(number))
    if (events.length === 0) continue
    for (const { device, epoch, number } of events) {
      const key = `${device} ${epoch}`
      models.set(key, (models.get(key) ?? new Set()).add(number))
    }
    await store(
      events.map(({ device, epoch, number, at }) => ({
        id: `${device}-${epoch}-${String(number).padStart(6, '0')}`,
        device,
        at,
      })),
    )
    if (random(3) === 0)
      await pool.use(async (client) => {
        await client.query('begin')
        await client.query(FOLLOW, [1 + random(50)])
        await client.query('rollback')
      })
    if (random(2) === 0) await Promise.all([pool.query(FOLLOW, [5]), pool.query(FOLLOW, [5])])
  }
  await follow(7)
  const expected = [...models].map(([key, numbers]) => ({ key, ...modelOf(numbers) }))
  const message = `seed ${seed}`
  assert.deepEqual(await ranges(), expected.map(({ key, text }) => `${key}: ${text}`).sort(), message)
  for (const device of ['d0', 'd1', 'd2']) {
    const own = expected.filter(({ key }) => key.startsWith(device))
    const found = await findGaps(pool, device)
    const sum = (of: 'missing' | 'gaps') => own.reduce((total, each) => total + each[of], 0)
    const received = own.reduce((total, { numbers }) => total + numbers, 0)
    const isSequence = sum('gaps') === 0 || received >= 2 * (1 + sum('gaps'))
    assert.deepEqual([found.missing, found.gaps], [isSequence ? sum('missing') : null, sum('gaps')], message)
    const [listed] = await pool.query<{ gaps: number; missing: number }>(
      'select count(*)::int as gaps, coalesce(sum(last_number - first_number + 1), 0)::int as missing from gaps_of($1)',
      [device],
    )
    assert.deepEqual(listed, { gaps: found.gaps, missing: sum('missing') }, message)
  }
})

test('only ids of the device, an epoch without a hyphen and a number count', async (t) => {
  const { store, follow, ranges } = await open(t)
  const ids = [
    ...['dev-7-0001', 'dev-7-2', 'dev-7-000000000000003', 'dev-äöü-5', 'dev-8-5'],
    ...[
      'dev-5',
      'dev--5',
      'dev-7-1-9',
      'other-7-5',
      'dev-7-',
      'dev-7-5x',
      'dev-7-1000000000000000',
      'dev',
      '77',
      '',
    ],
    'dev-0b9d9b5e-8d34-4f7e-9f30-123456789012',
  ]
  await store(ids.map((id) => ({ id, device: 'dev' })))
  await follow()
  assert.deepEqual(await ranges(), ['dev 7: 1-3', 'dev 8: 5-5', 'dev äöü: 5-5'])
})

test('an event after a gap says since when the device is complete, and a late one that fills it takes that back', async (t) => {
  const { pool, store, follow } = await open(t)
  const numbers = (...all: number[]) => store(all.map((n) => ({ id: `dev-1-${n}`, device: 'dev', at: n })))
  await numbers(0, 1, 2, 3, 10, 11, 12)
  await follow()
  const { completeSince, list, missing } = await findGaps(pool, 'dev')
  assert.deepEqual([missing, completeSince], [6, '2026-11-01T00:00:10.123457Z'])
  assert.deepEqual(list, [
    {
      epoch: '1',
      first: 4,
      last: 9,
      after: '2026-11-01T00:00:03.123457Z',
      before: '2026-11-01T00:00:10.123457Z',
    },
  ])
  await numbers(9, 8, 7, 6, 5, 4)
  await follow()
  const filled = await findGaps(pool, 'dev')
  assert.deepEqual([filled.missing, filled.completeSince], [0, '2026-11-01T00:00:00.123457Z'])
})

test('numbers that do not count up by one are no gaps until they do', async (t) => {
  const { pool, store, follow } = await open(t)
  const times = Array.from({ length: 50 }, (_, n) => ({
    id: `dev-1-${1_764_000_000 + n * 10}`,
    device: 'dev',
  }))
  await store(times)
  await follow()
  assert.equal((await findGaps(pool, 'dev')).missing, null)
  await store(Array.from({ length: 60 }, (_, n) => ({ id: `dev-1-${1_764_000_491 + n}`, device: 'dev' })))
  await follow()
  assert.equal((await findGaps(pool, 'dev')).missing, 49 * 9)
})

test('of a device with thousands of gaps the newest are listed, and all are counted', async (t) => {
  const { pool, store, follow } = await open(t)
  for (let part = 0; part < 4; part++) {
    // Runs of three, then one that is missing: 2,000 gaps.
    const numbers = Array.from({ length: 2_000 }, (_, n) => part * 2_000 + n).filter((n) => n % 4 !== 3)
    await store(numbers.map((n) => ({ id: `dev-${part < 3 ? 1 : 2}-${n}`, device: 'dev', at: n })))
    await follow()
  }
  const found = await findGaps(pool, 'dev')
  assert.deepEqual([found.missing, found.gaps, found.list.length], [1_998, 1_998, 100])
  assert.deepEqual([found.list[0]?.first, found.completeSince], [7_995, '2026-11-01T02:13:16.123457Z'])
  const [{ n }] = (await pool.query<{ n: number }>('select count(*)::int as n from received_numbers')) as [
    { n: number },
  ]
  assert.ok(n <= 1_000, `${n} ranges`)
})

test('what was stored before the update counts, sealed or not, but for what retention has begun to delete', async (t) => {
  const { pool, store, follow, ranges } = await open(t)
  await store(
    Array.from({ length: 3_000 }, (_, n) => n)
      .filter((n) => n % 1_000 !== 500)
      .flatMap((n) => ['old', 'cut'].map((device) => ({ id: `${device}-1-${n}`, device, at: n * 60 }))),
  )
  await pool.query('delete from received_pending')
  await pool.query('select recount_series()')
  await pool.query(`update event_hours_state set covered_to = now()`)
  const sealed = await pool.query<{ events: number }>(
    `select seal_series('old', 'temp', '2026-11-02T12:00Z', now(), 2000)::int as events`,
  )
  assert.ok((sealed[0]?.events ?? 0) > 900, 'some are sealed')
  await pool.query(
    `insert into dropped_series (device_id, event_type, dropped_to) values ('cut', 'temp', '2026-11-01T20:00Z')`,
  )
  await pool.query(`insert into received_pending values ('-infinity', 'infinity', true)`)
  await store([{ id: 'old-1-3000', device: 'old', at: 3_000 * 60 }])
  let steps = 0
  await follow(300, async () => {
    steps++
    const { missing } = await findGaps(pool, 'old')
    assert.ok((missing ?? 0) <= 3, `${missing} missing while history is read`)
  })
  assert.ok(steps > 5, `${steps} steps`)
  assert.deepEqual(await ranges(), [
    'cut 1: 1200-1499 1501-2499 2501-2999',
    'old 1: 0-499 501-1499 1501-2499 2501-3000',
  ])
})

test('a device that is removed while its numbers are read leaves nothing behind', async (t) => {
  const { url, pool, store, follow } = await open(t)
  await store([0, 1, 5].map((n) => ({ id: `gone-1-${n}`, device: 'gone' })))
  await withClient(url, async (other) => {
    await other.query('begin')
    await other.query(FOLLOW, [1_000])
    const removal = removeDevices(pool, 'gone')
    await until(async () => (await pool.query(WAITS)).length > 0, 'the removal waits for the step')
    await other.query('commit')
    await removal
  })
  await follow()
  assert.deepEqual(await pool.query('select from received_numbers union all select from device_gaps'), [])
})
