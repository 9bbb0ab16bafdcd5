import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

test('device time is stored in UTC, to the microsecond, and never costs the event', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url, {
    settings: { DEVICE_CLOCK_MAX_PAST: '20000d', DEVICE_CLOCK_MAX_FUTURE: '20000d' },
  })
  const { client, next } = await listen(t, broker.url)
  const cases: readonly (readonly [sent: unknown, stored: string | null])[] = [
    ['2026-01-15T12:00:00', '2026-01-15 20:00:00+00'],
    ['2026-07-15T12:00:00', '2026-07-15 19:00:00+00'],
    ['2026-07-15 12:00:00.123456', '2026-07-15 19:00:00.123456+00'],
    ['2026-03-08T02:30:00', '2026-03-08 10:30:00+00'],
    ['2026-07-15T12:00:00Z', '2026-07-15 12:00:00+00'],
    ['2026-07-15T12:00:00.000001+05:30', '2026-07-15 06:30:00.000001+00'],
    [1_784_116_800.25, '2026-07-15 12:00:00.25+00'],
    [1_784_116_800_123, '2026-07-15 12:00:00.123+00'],
    ['soon', null],
    ['2026-02-30T00:00:00Z', null],
    [{ a: 1 }, null],
  ]
  const events = cases.map(([ts], n) => ({
    schema: 1,
    event_id: `e${n}`,
    device_id: 'd',
    event_type: 't',
    ts_device: ts,
  }))
  await client.publishAsync('qs/v1/d/events', JSON.stringify(events), { qos: 1 })
  const acks = (await next('qs/v1/d/acks')) as { status: string; warning?: { code: string } }[]
  assert.deepEqual(
    acks.map(({ status, warning }) => [status, warning?.code]),
    cases.map(([, stored]) => ['stored', stored === null ? 'TS_DEVICE_UNREADABLE' : undefined]),
  )
  const found = await query(
    `select (ts_device at time zone 'UTC')::text || '+00' as ts_device, ts_device_raw from events order by substr(event_id, 2)::int`,
  )
  assert.deepEqual(
    found.map(({ ts_device: ts }) => ts),
    cases.map(([, stored]) => stored),
  )
  assert.deepEqual(
    found.map(({ ts_device_raw: raw }) => raw).filter((raw) => raw !== null),
    ['soon', '2026-02-30T00:00:00Z', '{"a":1}'],
  )
})

test('a board in 1970 keeps its device time and is charted at server time', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  const { client, next } = await listen(t, broker.url)
  const event = {
    schema: 1,
    event_id: 'e',
    device_id: 'd',
    event_type: 'boot',
    ts_device: '1970-01-01T00:00:07Z',
  }
  await client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
  await next('qs/v1/d/acks')
  const [row] = await query(
    'select extract(epoch from ts_device)::int as device, ts = ts_server as at_server from events',
  )
  assert.deepEqual(row, { device: 7, at_server: true })
  const [drift] = await query('select plausible, offset_seconds < -1e9 as behind from clock_drift')
  assert.deepEqual(drift, { plausible: false, behind: true })
})

test('a redelivery is a duplicate even if zone and arrival change the reading of its local time', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const event = {
    schema: 1,
    event_id: 'e',
    device_id: 'd',
    event_type: 't',
    ts_device: '2026-11-01T01:30:00',
  }
  const { client, next } = await listen(t, broker.url)
  const first = await startPipeline(t, broker.url, { settings: { MQTT_CLIENT_ID: 'first' } })
  await client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
  assert.equal(((await next('qs/v1/d/acks')) as { status: string }).status, 'stored')
  await first.pipeline.stop(1000)

  await startPipeline(t, broker.url, {
    databaseUrl: first.databaseUrl,
    settings: { MQTT_CLIENT_ID: 'second', DEVICE_TIMEZONE: 'Asia/Kolkata' },
  })
  await client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
  assert.equal(((await next('qs/v1/d/acks')) as { status: string }).status, 'duplicate')
  await client.publishAsync(
    'qs/v1/d/events',
    JSON.stringify({ ...event, ts_device: '2026-11-01T01:30:01' }),
    { qos: 1 },
  )
  assert.equal(((await next('qs/v1/d/acks')) as { status: string }).status, 'rejected')
})
