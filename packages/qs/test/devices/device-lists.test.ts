import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DeviceSort } from '@qs-telemetry/protocol/api'
import { fillFleet } from '@qs-telemetry/testing/fleet.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { QueryPool } from '../../src/database/query-pool.ts'
import { describeDevice } from '../../src/devices/describe-device.ts'
import {
  DEVICE_ORDERS,
  type DeviceCursor,
  readDeviceCursor,
  writeDeviceCursor,
} from '../../src/devices/device-order.ts'
import { countDevices, type DeviceQuestion, findDevice, listDevices } from '../../src/devices/list-devices.ts'
import { listRooms } from '../../src/devices/list-rooms.ts'
import { listTypes } from '../../src/devices/list-types.ts'
import { overviewDevices } from '../../src/devices/overview-devices.ts'
import { sparklines } from '../../src/devices/sparklines.ts'

const DEVICES = 4_000
const TYPES = 3_000

/** A large fleet, and a device with a counter in its type. */
async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const pool = new QueryPool(url, { name: 'test', connections: 1, timeoutMs: 240_000 })
  t.after(() => pool.end())
  await pool.query(`insert into devices (device_id, first_seen, last_seen) values ('counter', now(), now())`)
  await pool.query(`insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, ts, event_id, value_num,
      unit, ts_device_readable, ts_server)
    select 'counter', 't' || lpad(i::text, 7, '0'), 1, now(), now(), now(), now(), 'c' || i, i, '°C', true, now()
    from generate_series(1, ${TYPES}) i`)
  await fillFleet(pool, DEVICES)
  return pool
}

/** The ids of all pages, in order. */
async function allIds(
  pool: QueryPool,
  question: Omit<DeviceQuestion, 'limit' | 'after'>,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let after: DeviceCursor | null | undefined; after !== null; ) {
    const place = after === undefined ? {} : { after: throughItsText(after) }
    const page = await listDevices(pool, { ...question, ...place, limit: 499, readings: 0 })
    ids.push(...page.devices.map(({ deviceId }) => deviceId))
    after = page.next
  }
  return ids
}

function throughItsText(cursor: DeviceCursor): DeviceCursor {
  const read = readDeviceCursor(writeDeviceCursor(cursor))
  assert.deepEqual(read, cursor)
  return read as DeviceCursor
}

const bytes = (answer: unknown) => JSON.stringify(answer).length

test('lists show a bounded part of 4,000 devices and 3,000 types, and count all', async (t) => {
  const pool = await open(t)
  const { devices: page } = await listDevices(pool, { limit: 500 })
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
    ['type1', 106, '°C', 20],
  )
  assert.ok(bytes(page) < 500 * 1024, `${bytes(page)} bytes`)
  assert.equal(await countDevices(pool), DEVICES + 1)
  assert.equal(await countDevices(pool, { search: 'KÜCHE' }), 1)

  assert.deepEqual(await countDevices(pool, { room: 'Room 7' }), DEVICES / 400)
  assert.equal(
    (await listDevices(pool, { search: 'room 399', limit: 100, readings: 0 })).devices.length,
    DEVICES / 400,
  )
  assert.deepEqual(await listRooms(pool, { search: 'room 39', limit: 3 }), [
    { room: 'Room 39', devices: DEVICES / 400 },
    { room: 'Room 390', devices: DEVICES / 400 },
    { room: 'Room 391', devices: DEVICES / 400 },
  ])
  assert.deepEqual(await listTypes(pool, { search: 'TYPE', limit: 3 }), ['type0', 'type1', 'type2'])
  assert.deepEqual(await listTypes(pool, { devices: ['esp32-00002'], limit: 9 }), [
    ...['type0', 'type1', 'type2', 'type3', 'type4'],
  ])
  assert.equal((await listTypes(pool, { devices: ['counter', 'nobody'], limit: 1_000 })).length, 1_000)

  const sorted = new Map<DeviceSort, readonly string[]>()
  for (const sort of Object.keys(DEVICE_ORDERS) as DeviceSort[]) {
    const ids = await allIds(pool, { sort })
    sorted.set(sort, ids)
    assert.deepEqual(
      [ids.length, new Set(ids).size],
      [DEVICES + 1, DEVICES + 1],
      `${sort}: each device is on one page`,
    )
  }
  assert.deepEqual(sorted.get('types')?.slice(0, 3), ['counter', 'esp32-04000', 'esp32-03999'])
  assert.equal(sorted.get('clock')?.[0], 'esp32-04000')
  assert.equal(sorted.get('seen')?.[0], 'esp32-00001')
  assert.equal(sorted.get('room')?.at(-1), 'counter', 'without a room')
  assert.equal(sorted.get('quiet')?.[0]?.endsWith('00'), true)
  assert.equal((await allIds(pool, { status: 'silent' })).length, DEVICES / 100)
  assert.equal((await allIds(pool, { clock: 'off', sort: 'clock' })).length, DEVICES / 10)
  assert.equal(await countDevices(pool, { clock: 'off', status: 'silent' }), DEVICES / 100)
  assert.equal(await countDevices(pool, { room: 'Room 0', status: 'silent', search: 'ESP32-004' }), 1)

  assert.equal((await allIds(pool, { silentSensors: true })).length, DEVICES / 50)
  assert.equal(await countDevices(pool, { silentSensors: true, status: 'silent' }), 0)

  const whole = await findDevice(pool, 'counter')
  assert.deepEqual([whole?.readings.length, whole?.clock], [1_000, 'absent'])

  const overview = await overviewDevices(pool)
  assert.deepEqual(
    [overview.total, overview.online, overview.silentTotal, overview.freshTotal, overview.quiet],
    [DEVICES + 1, DEVICES + 1 - DEVICES / 100, DEVICES / 100, 1, 0],
  )
  assert.equal(overview.silent.length, 20)
  assert.deepEqual([overview.silentSeriesTotal, overview.silentSeries.length], [DEVICES / 50, 20])
  assert.equal(overview.silentSeries[0]?.eventType, 'type4')
  assert.match(overview.silent[0]?.lastSeen ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  assert.equal(overview.fresh[0]?.deviceId, 'counter')
  assert.ok(bytes(overview) < 8 * 1024, `${bytes(overview)} bytes`)

  // The newest device goes into the archive, a silent one too, and one of Room 7.
  for (const deviceId of ['counter', 'esp32-00400', 'esp32-00007'])
    assert.ok(await describeDevice(pool, deviceId, { isArchived: true }))
  const used = await overviewDevices(pool)
  assert.deepEqual([used.total, used.silentTotal, used.freshTotal], [DEVICES - 2, DEVICES / 100 - 1, 0])
  assert.equal(await countDevices(pool), DEVICES - 2)
  assert.equal(await countDevices(pool, { search: 'counter' }), 0)
  assert.deepEqual(await listRooms(pool, { search: 'room 7', limit: 1 }), [
    { room: 'Room 7', devices: DEVICES / 400 - 1 },
  ])
  assert.deepEqual(await allIds(pool, { status: 'archived' }), ['counter', 'esp32-00400', 'esp32-00007'])
  assert.equal((await findDevice(pool, 'counter'))?.status, 'archived')
  // One is back because it sends, the other because a person says so.
  await pool.query(`update devices set last_seen = now() + interval '1 second' where device_id = 'counter'`)
  await describeDevice(pool, 'esp32-00400', { isArchived: false })
  assert.deepEqual(await allIds(pool, { status: 'archived' }), ['esp32-00007'])
  assert.notEqual((await findDevice(pool, 'counter'))?.archivedAt, null)
  assert.equal((await findDevice(pool, 'esp32-00400'))?.archivedAt, null)
  // Archived a second time, by a clock that is behind that of its last event.
  await describeDevice(pool, 'counter', { isArchived: true, notes: 'spare' })
  assert.deepEqual(
    [(await findDevice(pool, 'counter'))?.status, (await findDevice(pool, 'counter'))?.notes],
    ['archived', 'spare'],
  )

  const to = new Date()
  const from = new Date(to.getTime() - 3 * 3_600_000)
  await pool.query(`insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_server, schema)
    select 'x' || i, 'counter', 't' || lpad(i::text, 7, '0'), i, '°C', now() - interval '1 minute', now(), 1
    from generate_series(1, 100) i`)
  const { lines } = await sparklines(pool, { devices: ['counter', 'esp32-00001', 'nobody'], from, to })
  assert.equal(lines.length, 32, 'sparklines of a bounded number of types')
})
