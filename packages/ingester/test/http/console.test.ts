import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  Device,
  DeviceList,
  Drift,
  EventPage,
  Overview,
  Series,
  SimulationState,
  Sparklines,
  System,
} from '@qs-telemetry/protocol/api'
import { parquetReadObjects } from 'hyparquet'
import { connectAsync } from 'mqtt'
import { json, startTestConsole } from '../support/console.ts'
import { until } from '../support/until.ts'

const event = (deviceId: string, id: string, fields: object) => ({
  schema: 1,
  event_id: id,
  device_id: deviceId,
  event_type: 'temp',
  ...fields,
})
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
const range = (minutes: number) =>
  new URLSearchParams({
    from: minutesAgo(minutes),
    to: new Date(Date.now() + 1_000).toISOString(),
  }).toString()

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

test('a series is every event where they fit, else least, greatest and mean; other axes too', async (t) => {
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
  // A saw tooth of a hundred seconds: the peak is in every fourth bucket of thirty, and survives.
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
  assert.match(wrong.body.detail, /"to" comes after "from"/)
})

test('numbers that would overflow a sum are charted all the same', async (t) => {
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

test('events go page by page, of one device and of all', async (t) => {
  const { publish, api } = await startTestConsole(t)
  const ids = Array.from({ length: 25 }, (_, index) => `e${String(index).padStart(2, '0')}`)
  await publish(
    'd',
    ids.map((id, index) =>
      event('d', id, { event_type: index % 2 ? 'a' : 'b', value: index, ts_device: minutesAgo(30 - index) }),
    ),
  )
  await publish('other', event('other', 'o1', { value: 'text' }))
  for (const [query, expected] of [
    ['device=d', ids.toReversed()],
    ['', ['o1', ...ids.toReversed()]],
  ] as const) {
    const seen: string[] = []
    for (let after: string | null = ''; after !== null; ) {
      const page: EventPage = (
        await api<EventPage>(`/api/events?limit=10&${query}${after && `&after=${after}`}`)
      ).body
      seen.push(...page.events.map(({ eventId }) => eventId))
      after = page.next
    }
    assert.deepEqual(seen, expected)
  }
  const texts = (await api<EventPage>('/api/events?texts=true')).body
  assert.deepEqual(
    texts.events.map(({ valueText }) => valueText),
    ['text'],
  )
  assert.equal((await api('/api/events?after=nonsense')).status, 400)
})

test('a view leaves as CSV and as Parquet, every event of it', async (t) => {
  const { publish, api, url } = await startTestConsole(t)
  await publish('d', [
    event('d', 'e1', { value: 1.5, ts_device: '2026-01-02T03:04:05.123456Z' }),
    event('d', 'e2', { value: '=1+1, "quoted"' }),
  ])
  const view = 'device=d&type=temp&from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'
  const { body: csv, headers } = await api<string>(`/api/export?format=csv&${view}`)
  assert.match(headers.get('content-disposition') ?? '', /attachment; filename="qs-2020-01-01.csv"/)
  const rows = csv.trim().split('\r\n')
  assert.equal(rows[0], 'event_id,device_id,event_type,value_num,value_text,unit,ts,ts_device,ts_server')
  assert.ok(rows.some((row) => row.includes('1.5') && row.includes('2026-01-02T03:04:05.123456Z')))
  assert.ok(
    rows.some((row) => row.includes(`"'=1+1, ""quoted"""`)),
    csv,
  )

  const file = await (await fetch(`${url}/api/export?format=parquet&${view}`)).arrayBuffer()
  const objects = await parquetReadObjects({ file })
  const [first] = objects.filter(({ event_id: id }) => id === 'e1')
  assert.equal(objects.length, 2)
  assert.equal(first?.value_num, 1.5)
  assert.deepEqual(first?.ts_device, new Date('2026-01-02T03:04:05.123Z'))
})

test('the overview counts, and simulated devices come and go with all that they left', async (t) => {
  const { publish, api, query } = await startTestConsole(t)
  await publish('mine', event('mine', 'm1', { value: 1 }))
  await publish('mine', '{"broken":')
  const before = (await api<Overview>('/api/overview')).body
  assert.deepEqual([before.devices.total, before.devices.online, before.letters.open], [1, 1, 1])
  assert.deepEqual([before.broker.connected, before.alarms], [true, []])
  assert.deepEqual(
    before.minutes.map(({ stored, rejected }) => stored + rejected).reduce((a, b) => a + b),
    2,
  )

  assert.deepEqual((await api<SimulationState>('/api/simulation')).body, { running: false, devices: 0 })
  assert.equal((await api<SimulationState>('/api/simulation', { method: 'POST' })).body.running, true)
  await until(
    async () => (await api<SimulationState>('/api/simulation')).body.devices === 12,
    'twelve simulated devices',
  )
  const gone = (await api<SimulationState>('/api/simulation', { method: 'DELETE' })).body
  assert.deepEqual(gone, { running: false, devices: 0 })
  // A later batch writes what devices' rows lack: not those of the removed ones.
  await publish('mine', event('mine', 'm2', { value: 2 }))
  await until(
    async () => (await query(`select from events where event_id = 'm2'`)).length === 1,
    'the event after the removal',
  )
  assert.deepEqual(await query('select event_id from events order by 1'), [
    { event_id: 'm1' },
    { event_id: 'm2' },
  ])
  assert.deepEqual(await query('select device_id from devices'), [{ device_id: 'mine' }])
  const [entry] = await query(`select actor, action from audit_log where action like '%removed'`)
  assert.deepEqual(entry, { actor: 'local', action: 'simulated data removed' })
})

test('the overview tells the backlog of the broker, and how fast the disk fills', async (t) => {
  const { api, client, mqttPort, query } = await startTestConsole(t)
  assert.equal((await api<Overview>('/api/overview')).body.disk.bytesPerDay, null, 'too early to say')
  const session = { clientId: 'sleeper', clean: false }
  const sleeper = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, session)
  await sleeper.subscribeAsync('elsewhere', { qos: 1 })
  await sleeper.endAsync()
  for (let n = 0; n < 7; n++) await client.publishAsync('elsewhere', 'x', { qos: 1 })
  await query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
    select 'x' || i, 'd', 't', i, now(), now(), 1 from generate_series(1, 10000) i`)
  await query(`insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
    values (date_trunc('minute', now()) - interval '6 hours', 'w', 10000, 10000, 10000, 0, 0)`)
  await query('analyze events')
  const seen = async () => {
    const { broker, disk } = (await api<Overview>('/api/overview')).body
    return broker.waiting === 7 ? disk : null
  }
  const { bytesPerDay } = await until(seen, 'seven messages wait')
  // 10,000 events in six hours, of some 100 to 500 bytes with their indexes.
  assert.ok(bytesPerDay !== null && bytesPerDay > 4 * 1e6 && bytesPerDay < 4 * 5e6, `${bytesPerDay}`)
})

test('the API describes itself, and what is not there is a problem', async (t) => {
  const { api } = await startTestConsole(t)
  const { body } = await api<{ openapi: string; paths: Record<string, unknown> }>('/api/openapi.json')
  assert.match(body.openapi, /^3\./)
  for (const path of ['/api/devices', '/api/series', '/api/letters/replay', '/api/live'])
    assert.ok(path in body.paths, path)
  const docs = await api<string>('/api/docs/')
  assert.equal(docs.status, 200)
  assert.doesNotMatch(docs.body, /https?:\/\/(?!127\.0\.0\.1)/)
  const missing = await api<{ status: number; detail: string }>('/api/nothing')
  assert.deepEqual([missing.status, missing.body.status], [404, 404])
  assert.equal((await api<System>('/api/system')).body.credentials, 'none')
})
