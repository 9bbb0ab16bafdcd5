import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { migrate } from '../../src/database/migrate.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { countDevices, listDevices } from '../../src/queries/list-devices.ts'
import { listRooms } from '../../src/queries/list-rooms.ts'
import { listTypes } from '../../src/queries/list-types.ts'
import { overviewDevices } from '../../src/queries/overview-devices.ts'
import { sparklines } from '../../src/queries/sparklines.ts'
import { freshDatabase } from '../support/postgres.ts'

const DEVICES = 20_000

/** A large fleet in 400 rooms, of which each hundredth device is silent, and a device with a counter in its type. */
async function open(t: TestContext) {
  const url = await freshDatabase(t)
  await migrate(url)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 60_000 })
  t.after(() => pool.end())
  const series = (device: string, type: string, rows: string) => `
    insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, every_seconds, ts, event_id, value_num,
      unit, ts_device, ts_device_readable, ts_server)
    select ${device}, ${type}, 100, now() - interval '1 day', now() - interval '1 day', at, 20, at + interval '1.5 s', 'e' || i, i,
      '°C', at + interval '1.5 s', true, at from ${rows}`
  await pool.query(`insert into devices (device_id, first_seen, last_seen, silent_after, label, room)
    select 'esp32-' || lpad(i::text, 5, '0'), now() - interval '2 days',
      now() - case when i % 100 = 0 then interval '70.123456 s' else interval '5 s' end, 60, case when i = 7 then 'Küche' end,
      'Room ' || i % 400
    from generate_series(1, ${DEVICES}) i`)
  await pool.query(
    series(
      `'esp32-' || lpad((1 + i / 5)::text, 5, '0')`,
      `'type' || i % 5`,
      `(select i, now() - interval '5 s' as at from generate_series(0, ${DEVICES * 5 - 1}) i) x`,
    ),
  )
  await pool.query(`insert into devices (device_id, first_seen, last_seen) values ('counter', now(), now())`)
  await pool.query(
    series(
      `'counter'`,
      `'t' || lpad(i::text, 7, '0')`,
      `(select i, now() as at from generate_series(1, 30000) i) x`,
    ),
  )
  await pool.query('analyze series, devices')
  return pool
}

const bytes = (answer: unknown) => JSON.stringify(answer).length

test('lists show a bounded part of 20,000 devices and of 30,000 types, and count all', async (t) => {
  const pool = await open(t)
  const page = await listDevices(pool, { limit: 500 })
  assert.equal(page.length, 500)
  const [counter, first] = page
  assert.deepEqual(
    [counter?.deviceId, counter?.readings.length, counter?.moreReadings, counter?.status],
    ['counter', 8, 992, 'online'],
  )
  assert.deepEqual([first?.readings.length, first?.moreReadings, first?.clock], [5, 0, 'good'])
  assert.equal(first?.offsetSeconds, 1.5)
  assert.deepEqual(
    first?.readings.map(({ eventType, valueNum, unit, everySeconds }) => [
      eventType,
      valueNum,
      unit,
      everySeconds,
    ])[1],
    ['type1', 1, '°C', 20],
  )
  assert.ok(bytes(page) < 500 * 1024, `${bytes(page)} bytes`)
  assert.equal(await countDevices(pool), DEVICES + 1)
  assert.equal(await countDevices(pool, { search: 'KÜCHE' }), 1)

  assert.deepEqual(await countDevices(pool, { room: 'Room 7' }), DEVICES / 400)
  assert.equal(
    (await listDevices(pool, { search: 'room 399', limit: 100, readings: 0 })).length,
    DEVICES / 400,
  )
  assert.deepEqual(await listRooms(pool, { search: 'room 39', limit: 3 }), [
    { room: 'Room 39', devices: 50 },
    { room: 'Room 390', devices: 50 },
    { room: 'Room 391', devices: 50 },
  ])
  assert.deepEqual(await listTypes(pool, { search: 'TYPE', limit: 3 }), ['type0', 'type1', 'type2'])
  assert.deepEqual(await listTypes(pool, { devices: ['esp32-00002'], limit: 9 }), [
    ...['type0', 'type1', 'type2', 'type3', 'type4'],
  ])
  assert.equal((await listTypes(pool, { devices: ['counter', 'nobody'], limit: 1_000 })).length, 1_000)

  const seen = new Set<string>()
  for (let after: string | undefined; ; ) {
    const next = await listDevices(pool, { limit: 2_000, ...(after !== undefined && { after }) })
    for (const { deviceId } of next) seen.add(deviceId)
    if (next.length < 2_000) break
    after = next.at(-1)?.deviceId
  }
  assert.equal(seen.size, DEVICES + 1, 'every device is on one page')

  const [whole] = await listDevices(pool, { devices: ['counter'], limit: 1 })
  assert.equal(whole?.readings.length, 1_000)

  const overview = await overviewDevices(pool)
  assert.deepEqual(
    [overview.total, overview.online, overview.silentTotal, overview.freshTotal, overview.quiet],
    [DEVICES + 1, DEVICES + 1 - 200, 200, 1, 0],
  )
  assert.equal(overview.silent.length, 20)
  assert.match(overview.silent[0]?.lastSeen ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.equal(overview.fresh[0]?.deviceId, 'counter')
  assert.ok(bytes(overview) < 8 * 1024, `${bytes(overview)} bytes`)

  const to = new Date()
  const from = new Date(to.getTime() - 3 * 3_600_000)
  await pool.query(`insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_server, schema)
    select 'x' || i, 'counter', 't' || lpad(i::text, 7, '0'), i, '°C', now() - interval '1 minute', now(), 1
    from generate_series(1, 100) i`)
  const { lines } = await sparklines(pool, { devices: ['counter', 'esp32-00001', 'nobody'], from, to })
  assert.equal(lines.length, 32, 'sparklines of a bounded number of types')
})
