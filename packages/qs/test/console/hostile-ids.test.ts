import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device, DeviceList, Drift, EventPage, Series, Sparklines } from '@qs-telemetry/protocol/api'
import { deviceSegment } from '@qs-telemetry/protocol/device-segment'
import { json, startTestConsole } from '@qs-telemetry/testing/console.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { watch } from '@qs-telemetry/testing/watch-live.ts'

const IDS = [
  '.',
  '..',
  '...',
  '~..',
  '~~.',
  '__proto__',
  'constructor',
  'toString',
  '%2e%2e',
  'a%2Fb',
  'a%',
  ';x',
  'who?me=1&you',
  'two words',
  ' ',
  '"><script>',
  "o'brien\\",
  'ÄßЖ漢字😀',
  'é'.repeat(64),
  'x'.repeat(128),
]

test('devices with hostile ids answer on every path and parameter of the API', async (t) => {
  const { api, publish, url } = await startTestConsole(t)
  const span = new URLSearchParams({
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date(Date.now() + 3_600_000).toISOString(),
  })
  const all = IDS.map((id) => `device=${encodeURIComponent(id)}`).join('&')
  const live = await watch(t, `${url}/api/live?${all}`)
  for (const [value, id] of IDS.entries())
    await publish(id, {
      schema: 1,
      event_id: `e-${value}`,
      device_id: id,
      event_type: id.slice(0, 60),
      value,
    })

  await until(() => live.messages().length === IDS.length, 'every message is live')
  assert.deepEqual(
    live.messages().map(({ deviceId }) => deviceId),
    IDS,
  )
  const listed = (await api<DeviceList>('/api/devices')).body.devices
  assert.deepEqual(listed.map(({ deviceId }) => deviceId).sort(), IDS.toSorted())
  const { lines } = (await api<Sparklines>(`/api/sparklines?${all}`)).body
  assert.deepEqual(lines.map(({ deviceId }) => deviceId).sort(), IDS.toSorted())

  for (const [value, id] of IDS.entries()) {
    const path = `/api/devices/${deviceSegment(id)}`
    const device = await api<Device>(path)
    assert.equal(device.status, 200, id)
    assert.equal(device.body.deviceId, id)
    assert.equal(device.body.readings[0]?.valueNum, value, id)

    const changed = await api<Device>(path, json('PATCH', { label: `label ${value}` }))
    assert.deepEqual([changed.status, changed.body.deviceId, changed.body.label], [200, id, `label ${value}`])
    const drift = await api<Drift>(`${path}/drift?${span}`)
    assert.equal(drift.status, 200, id)

    const asked = `device=${encodeURIComponent(id)}`
    const events = (await api<EventPage>(`/api/events?${asked}`)).body.events
    assert.deepEqual([events.length, events[0]?.valueNum], [1, value], id)
    const series = `${asked}&type=${encodeURIComponent(id.slice(0, 60))}&${span}`
    assert.equal((await api<Series>(`/api/series?${series}`)).body.lines[0]?.events, 1, id)
    const csv = (await api<string>(`/api/export?format=csv&${series}`)).body
    assert.equal(csv.match(/\r\n/g)?.length, 2, `${id}: ${csv}`)
  }
})
