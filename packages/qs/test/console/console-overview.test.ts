import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Overview, SimulationState, System } from '@qs-telemetry/protocol/api'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { event } from './console-data.ts'

test('the overview counts, and simulated devices are removed with all their data', async (t) => {
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
  // A later batch updates device rows, but must not restore those of the removed devices.
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

test('the overview shows the backlog of the broker and how fast the disk fills', async (t) => {
  const { api, client, mqttPort, query } = await startTestConsole(t)
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
    const { broker, storage } = (await api<Overview>('/api/overview')).body
    return broker.waiting === 7 ? storage : null
  }
  const { growth } = await until(seen, 'seven messages wait')
  // 10,000 events in six hours, of about 100 to 500 bytes each with indexes.
  const bytesPerDay = growth?.bytesPerDay ?? 0
  assert.ok(bytesPerDay > 4 * 1e6 && bytesPerDay < 4 * 5e6, `${bytesPerDay}`)
})

test('the API describes itself, and an unknown path is a problem', async (t) => {
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
