import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { DeviceClient, type DeviceWarning } from '../src/index.ts'
import { type NarrowBrokerOptions, startNarrowBroker } from './support/narrow-broker.ts'

async function open(t: TestContext, options: NarrowBrokerOptions, { batchEvents } = { batchEvents: 1 }) {
  const broker = await startNarrowBroker(options)
  t.after(() => broker.stop())
  const warnings: DeviceWarning[] = []
  const client = new DeviceClient({
    ...{ url: broker.url, deviceId: 'dev-1', batchEvents, reconnectMs: 20 },
    onWarning: (warning) => warnings.push(warning),
  })
  t.after(() => client.close({ timeoutMs: 0 }))
  const acks = Array.from({ length: 200 }, (_, value) => client.send({ event_type: 'temp', value }))
  // They reject when the client is closed first.
  for (const each of acks) each.catch(() => {})
  client.open()
  const texts = () => warnings.map((each) => (each.kind === 'connection' ? each.error.message : each.kind))
  return { broker, client, texts }
}

test('a queue is sent through the Receive Maximum of the broker [MQTT-3.3.4-9]', {
  timeout: 20_000,
}, async (t) => {
  const { broker, client, texts } = await open(t, { window: 10, isAnnounced: true })
  await client.flush()
  assert.deepEqual([client.counts().stored, client.counts().resent], [200, 0])
  assert.deepEqual([broker.versions, texts()], [[5], []])
})

test('onWarning has the reason with which the broker ended the connection', async (t) => {
  const { texts } = await open(t, { window: 10, isAnnounced: false })
  await until(() => texts().length > 0, 'a warning')
  assert.equal(texts()[0], 'The broker ended the connection: Receive Maximum exceeded (0x93)')
})

test('a broker that ends connections at large messages gets smaller ones', { timeout: 20_000 }, async (t) => {
  const options = { window: 100, isAnnounced: true, payloadBytes: 1_000 }
  const { client } = await open(t, options, { batchEvents: 100 })
  await client.flush()
  assert.deepEqual([client.counts().stored, client.counts().waiting], [200, 0])
})

test('of several nodes, the next one is tried', { timeout: 20_000 }, async (t) => {
  const broker = await startNarrowBroker({ window: 100, isAnnounced: true })
  t.after(() => broker.stop())
  const url = `mqtt://127.0.0.1:1,${broker.url}`
  const client = new DeviceClient({ url, deviceId: 'dev-1', reconnectMs: 20 })
  t.after(() => client.close({ timeoutMs: 0 }))
  client.open()
  assert.equal((await client.send({ event_type: 'temp', value: 1 })).status, 'stored')
})

test('a broker that closes connections of MQTT 5 without an answer is tried with 3.1.1', {
  timeout: 20_000,
}, async (t) => {
  const { broker, client, texts } = await open(t, { window: 100, isAnnounced: false, isOld: true })
  await client.flush()
  assert.deepEqual(broker.versions, [5, 4])
  assert.deepEqual(texts(), ['The broker ended the connection during the login'])
})
