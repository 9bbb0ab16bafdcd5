import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, DeviceList, Drift, Series, Sparklines } from '@qs-telemetry/protocol/api'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { event, minutesAgo, range } from './console-data.ts'

test('devices, their latest values, their clock, a label and sparklines', async (t) => {
  const { publish, api } = await startTestConsole(t)
  await publish('kitchen', [
    event('kitchen', 'k1', { value: 20.5, unit: '°C', ts_device: minutesAgo(2) }),
    event('kitchen', 'k2', { value: 21.5, unit: '°C', ts_device: minutesAgo(1) }),
    event('kitchen', 'k3', { event_type: 'door', value: 'open', ts_device: minutesAgo(0.01) }),
  ])
  await publish('attic', event('attic', 'a1', { value: 1, ts_device: '1970-01-01T00:00:05Z' }))

  const { devices } = (await api<DeviceList>('/api/devices')).body
  assert.deepEqual(
    devices.map(({ deviceId, status, clock }) => [deviceId, status, clock]),
    [
      ['attic', 'online', 'implausible'],
      ['kitchen', 'online', 'good'],
    ],
  )
  const readings = devices[1]?.readings.map(({ eventType, valueNum, valueText, unit }) => [
    eventType,
    valueNum,
    valueText,
    unit,
  ])
  assert.deepEqual(readings, [
    ['door', null, 'open', null],
    ['temp', 21.5, null, '°C'],
  ])
  const found = (await api<DeviceList>('/api/devices?search=KIT')).body.devices
  assert.deepEqual(
    found.map(({ deviceId }) => deviceId),
    ['kitchen'],
  )

  const change = json('PATCH', { label: 'Kitchen, window', timeZone: 'Europe/Berlin' })
  const changed = (await api<Device>('/api/devices/kitchen', change)).body
  assert.deepEqual([changed.label, changed.timeZone], ['Kitchen, window', 'Europe/Berlin'])
  assert.equal((await api('/api/devices/kitchen', json('PATCH', { timeZone: 'Mars/Olympus' }))).status, 400)
  assert.equal((await api<Device>('/api/devices/kitchen', json('PATCH', { label: null }))).body.label, null)

  const { lines } = (await api<Sparklines>('/api/sparklines?device=kitchen&device=attic')).body
  assert.deepEqual(
    lines.map(({ deviceId, eventType, means }) => [deviceId, eventType, means.length]),
    [
      ['attic', 'temp', 30],
      ['kitchen', 'temp', 30],
    ],
  )
  const drift = (await api<Drift>(`/api/devices/attic/drift?${range(10)}`)).body
  assert.equal(drift.times.length, 1)
  assert.ok((drift.offset[0] ?? 0) < -1e9, 'its clock is in 1970')
})

test('a series is every event if they fit, else minimum, maximum and mean; on the other axes too', async (t) => {
  const { publish, api, query } = await startTestConsole(t)
  await publish('d', event('d', 'd1', { value: 1, unit: 'V' }))
  await query(`
    insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema)
    select 'x' || i, 'd', 'load', i % 100, 'W', now() - i * interval '1 second', now() - i * interval '1 second' - interval '5 s',
      now() - i * interval '1 second', 1
    from generate_series(1, 3600) i`)
  await query('select recount_series()')
  const few = (await api<Series>(`/api/series?device=d&type=load&${range(2)}&points=800`)).body
  assert.equal(few.bucketSeconds, null)
  assert.ok((few.lines[0]?.times.length ?? 0) >= 119)

  const many = (await api<Series>(`/api/series?device=d&type=load&type=temp&${range(120)}&points=300`)).body
  assert.equal(many.bucketSeconds, 30)
  const load = many.lines.find(({ eventType }) => eventType === 'load')
  assert.ok(load && load.times.length <= 300 && load.times.length >= 119)
  assert.deepEqual([load.events, load.unit], [3600, 'W'])
  // A sawtooth of 100 seconds: its peak falls into every fourth bucket of 30 seconds, and survives.
  assert.ok(load.max.includes(99) && load.min.includes(0))
  assert.equal(many.lines.find(({ eventType }) => eventType === 'temp')?.events, 1)
  for (const points of [10, 57, 123, 1_000]) {
    const { lines } = (await api<Series>(`/api/series?device=d&type=load&${range(59.3)}&points=${points}`))
      .body
    assert.ok((lines[0]?.times.length ?? 0) <= points, `${lines[0]?.times.length} of ${points} points`)
  }
  for (const axis of ['device', 'server']) {
    const other = (await api<Series>(`/api/series?device=d&type=load&${range(120)}&points=300&axis=${axis}`))
      .body
    assert.equal(other.lines[0]?.events, 3600, axis)
  }
  const wrong = await api<{ detail: string }>(
    `/api/series?device=d&type=load&from=${minutesAgo(1)}&to=${minutesAgo(5)}`,
  )
  assert.equal(wrong.status, 400)
  assert.match(wrong.headers.get('content-type') ?? '', /application\/problem\+json/)
  assert.match(wrong.body.detail, /"to" must be later than "from"/)
})

test('numbers that would overflow a sum are still charted', async (t) => {
  const { publish, api } = await startTestConsole(t)
  const values = [1.7e308, 1.7e308, 1.7e308, -1e200, 5]
  await publish(
    'd',
    values.map((value, index) => event('d', `h${index}`, { value })),
  )
  for (let index = 0; index < 12; index++) await publish('d', event('d', `n${index}`, { value: index }))
  const { status, body } = await api<Series>(`/api/series?device=d&type=temp&${range(600)}&points=10`)
  assert.equal(status, 200)
  assert.equal(Math.max(...(body.lines[0]?.max ?? [])), 1.7e308)
  assert.equal((await api('/api/sparklines?device=d')).status, 200)
})
