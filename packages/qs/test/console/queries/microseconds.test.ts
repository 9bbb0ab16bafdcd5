import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { Command } from 'commander'
import { filterOf, withFilter } from '../../../src/cli/deadletter-filter.ts'
import { exportRows } from '../../../src/console/queries/export-rows.ts'
import { listEvents, readCursor } from '../../../src/console/queries/list-events.ts'
import { readMoment, readRange } from '../../../src/console/time-range.ts'
import { QueryPool } from '../../../src/database/query-pool.ts'
import { DeviceRows } from '../../../src/devices/device-rows.ts'
import { findLetter } from '../../../src/letters/find-letter.ts'
import { countLetters, type LetterFilter } from '../../../src/letters/letter-filter.ts'
import { listLetters } from '../../../src/letters/list-letters.ts'

/** Three events in one millisecond. */
const [A, B, C] = [
  '2026-11-28T07:15:30.123455Z',
  '2026-11-28T07:15:30.123456Z',
  '2026-11-28T07:15:30.123457Z',
] as const

async function open(t: Parameters<typeof migratedDatabase>[0]) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 2, timeoutMs: 30_000 })
  t.after(() => pool.end())
  return { url, pool }
}

test('a range of events begins and ends at the microsecond, in lists, pages and exports', async (t) => {
  const { pool } = await open(t)
  await pool.query(
    `insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_server, schema)
    select 'e' || i, 'd', 't', i, at, at, at, 1 from unnest($1::timestamptz[]) with ordinality as e(at, i)`,
    [[A, B, C]],
  )
  await pool.query('select recount_series()')
  const range = readRange({ from: '2026-11-28T08:15:30.123456+01:00', to: C })
  assert.deepEqual(range, { from: B, to: C })
  const series = [{ deviceId: 'd', eventType: 't' }]

  for (const deviceId of [{ deviceId: 'd' }, {}]) {
    const { events } = await listEvents(pool, { ...deviceId, ...range, limit: 10 })
    assert.deepEqual(
      events.map(({ eventId }) => eventId),
      ['e2'],
    )
    const pages: string[] = []
    let next: string | null = null
    do {
      const after = next === null ? null : readCursor(next)
      const page: Awaited<ReturnType<typeof listEvents>> = await listEvents(pool, {
        ...{ ...deviceId, from: A, limit: 1 },
        ...(after !== null && { after }),
      })
      pages.push(...page.events.map(({ ts }) => ts))
      next = page.next
    } while (next !== null)
    assert.deepEqual(pages, [C, B, A])
  }
  for (const axis of ['event', 'device', 'server'] as const) {
    const rows = []
    for await (const part of exportRows(pool, { series, ...range, axis })) rows.push(...part)
    assert.deepEqual(
      rows.map(({ eventId, ts }) => [eventId, ts]),
      [['e2', B]],
      axis,
    )
  }
})

test('a cursor not written by a page is refused before PostgreSQL sees it', () => {
  const cursor = (ts: unknown) => Buffer.from(JSON.stringify([ts, 'e1'])).toString('base64url')
  assert.deepEqual(readCursor(cursor(B)), { ts: B, eventId: 'e1' })
  for (const ts of ['2026', '5', '2026-11-28T07:15:30.123Z', 'infinity', '2026-02-30T00:00:00.000000Z', 7])
    assert.equal(readCursor(cursor(ts)), null, String(ts))
})

test('a range of less than a millisecond is valid, and one that ends where it begins is not', () => {
  assert.deepEqual(readRange({ from: A, to: B }), { from: A, to: B })
  assert.throws(() => readRange({ from: B, to: B }), /not a valid time range/)
  assert.throws(() => readRange({ from: C, to: B }), /not a valid time range/)
})

test('dead letters have receive times in microseconds, and filters respect them', async (t) => {
  const { pool } = await open(t)
  await pool.query(
    `insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
    select at, 'qs/v1/d/events', 'INVALID_JSON', 'e', 't', 'p', gen_random_uuid() from unnest($1::timestamptz[]) as l(at)`,
    [[A, B, C]],
  )
  const found = (filter: LetterFilter) =>
    pool.use(async (database) =>
      (await listLetters(database, filter, { limit: 10 })).map((letter) => letter.receivedAt),
    )
  assert.deepEqual(await found({}), [C, B, A])
  assert.deepEqual(await found({ since: readMoment(B) }), [C, B])
  assert.deepEqual(await found({ until: readMoment(B) }), [A])
  assert.equal(await pool.use((database) => countLetters(database, { since: B, until: C }, '9')), 1)
  assert.equal((await pool.use((database) => findLetter(database, '2')))?.receivedAt, B)

  const options = (...args: string[]) =>
    filterOf(withFilter(new Command()).parse(args, { from: 'user' }).opts())
  assert.deepEqual(options('--since', '2026-11-28T08:15:30.123456+01:00', '--until', C), {
    since: B,
    until: C,
  })
  assert.deepEqual(options('--since', '2026-11-28'), { since: '2026-11-28T00:00:00.000000Z' })
})

test('last seen of a device is exact, not truncated to the millisecond', async (t) => {
  const { url, pool } = await open(t)
  await pool.query(`insert into devices (device_id, first_seen, last_seen) values ('d', $1, $2)`, [A, C])
  const rows = await DeviceRows.open(url)
  t.after(() => rows.close())
  const [row] = await rows.list()
  assert.deepEqual([row?.firstSeen, row?.lastSeen], [A, C])
})
