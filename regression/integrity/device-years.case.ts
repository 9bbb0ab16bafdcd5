import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { item, type MakeItem } from './item.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

/** Times a device clock may report, as text and as Unix time. */
const TIMES = [
  '1970-01-01T00:00:00.000000Z',
  9,
  '2036-02-07T06:28:16.000000Z',
  2_085_978_496,
  '2038-01-19T03:14:07.999999Z',
  2_147_483_648,
  4_294_967_296_000,
  // PostgreSQL's own range ends in 294276, JavaScript's in 275760, the contract's in 9999.
  '300000-01-01T00:00:00Z',
  '+300000-01-01T00:00:00.000000Z',
  9_400_000_000_000_000,
  -1,
  1e300,
  'now',
  'infinity',
] as const
const EVENTS = scale(20_000, 3_000)

const makeItem: MakeItem = (deviceId, n) => {
  const time = TIMES[n % TIMES.length]
  return item(deviceId, n, { event_type: 'boot', value: n, ...(time !== undefined && { ts_device: time }) })
}

test('devices in 1970, 2036, 2038, 300000: each event is stored with its time or its text; resent, it is a duplicate', {
  skip: mosquittoMissing,
}, async (t) => {
  const stage = await openStage(t, {
    fault: 'devices in the years 1970, 2036, 2038 and 300000',
    fleet: { eventsPerSecond: 500, makeItem },
  })
  // Events sent again after a kill must not become conflicts.
  for (let n = 0; n < 3; n++) {
    await stage.more(EVENTS / 3)
    await stage.ingester.kill()
    stage.ingester.start()
    await stage.ingester.ready()
  }
  await stage.finish()
  const [row] = await stage.postgres.query(`
    select
      count(*) filter (where abs(extract(epoch from ts - ts_server)) > 1)::int as misplaced,
      count(*) filter (where ts_device is null and ts_device_raw is null)::int as forgotten,
      count(distinct ts_device_raw)::int as unreadable,
      count(distinct ts_device)::int as readable
    from events`)
  assert.deepEqual(row, { misplaced: 0, forgotten: 0, unreadable: 6, readable: 7 })
})
