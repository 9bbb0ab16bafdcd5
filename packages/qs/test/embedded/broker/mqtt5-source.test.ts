import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { realEdges } from '../../../src/app/edges.ts'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import type { Delivery } from '../../../src/pipeline/delivery.ts'
import { Source, type SourceOptions } from '../../../src/source/source.ts'
import { connect, received, start, tcp } from './connecting.ts'

function startSource(t: TestContext, broker: EmbeddedBroker, options: Partial<SourceOptions> = {}) {
  const deliveries: Delivery[] = []
  const { log, records } = silentLog()
  const source = new Source({
    url: tcp(broker),
    caFile: null,
    clientId: 'ingester',
    username: null,
    password: () => null,
    filter: 'qs/v1/+/events',
    sessionExpiryMs: 60_000,
    receiveMaximum: 1_000,
    keepAliveMs: 60_000,
    highWatermark: { messages: 1_000, bytes: 1_000_000 },
    ...realEdges(),
    log,
    onDelivery: (delivery) => deliveries.push(delivery),
    onFailure: (error) => assert.fail(error),
    ...options,
  })
  const connected = source.start()
  t.after(() => source.stop())
  return { source, connected, deliveries, records }
}

const payloads = (deliveries: readonly Delivery[]) => deliveries.map(({ payload }) => String(payload))
const upTo = (count: number) => Array.from({ length: count }, (_, i) => String(i))

async function publishAll(t: TestContext, broker: EmbeddedBroker, count: number): Promise<void> {
  const publisher = await connect(t, tcp(broker))
  await Promise.all(upTo(count).map((i) => publisher.publishAsync('qs/v1/b/events', i, { qos: 1 })))
}

test('the ingester source speaks MQTT 5 with the embedded broker at the first attempt', async (t) => {
  const broker = await start(t)
  const { connected, records } = startSource(t, broker)
  await connected
  const said = records.find(({ msg }) => msg === 'Connected to the broker')
  assert.deepEqual([said?.mqtt, said?.sessionPresent], ['5.0', false])
})

test('its receive maximum holds the broker back until it settles', async (t) => {
  const broker = await start(t)
  const { connected, deliveries } = startSource(t, broker, { receiveMaximum: 50 })
  await connected
  await publishAll(t, broker, 300)
  await until(() => deliveries.length >= 50, 'a full window')
  for (let settled = 0; settled < 300; settled++) {
    assert.ok(deliveries.length <= settled + 50)
    await until(() => deliveries.length > settled, 'the next delivery')
    deliveries[settled]?.settle()
  }
  assert.deepEqual(payloads(deliveries), upTo(300))
})

test('unsettled messages are redelivered after a reconnect, and settled ones are not', async (t) => {
  const broker = await start(t)
  const options = { receiveMaximum: 5_000, highWatermark: { messages: 10_000, bytes: 10_000_000 } }
  const first = startSource(t, broker, options)
  await first.connected
  await publishAll(t, broker, 3_000)
  await until(() => first.deliveries.length === 3_000, 'all deliveries')
  for (const delivery of first.deliveries.slice(0, 2_000)) delivery.settle()
  await first.source.stop()
  const second = startSource(t, broker, options)
  await second.connected
  await until(() => second.deliveries.length === 1_000, 'the rest')
  assert.deepEqual(payloads(second.deliveries), upTo(3_000).slice(2_000))
  assert.equal(second.records.find(({ msg }) => msg === 'Connected to the broker')?.sessionPresent, true)
  for (const delivery of second.deliveries) delivery.settle()
  await second.source.stop()
  const third = startSource(t, broker, options)
  await third.connected
  await publishAll(t, broker, 1)
  await until(() => third.deliveries.length === 1, 'a new one')
  assert.deepEqual(payloads(third.deliveries), ['0'])
})

test('while it is full, messages beyond its window wait at the broker, including a retained event', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  await publisher.publishAsync('qs/v1/b/events', 'retained', { qos: 1, retain: true })
  const options = { receiveMaximum: 100, highWatermark: { messages: 20, bytes: 1_000_000 } }
  const first = startSource(t, broker, options)
  await first.connected
  await publishAll(t, broker, 5_000)
  await until(() => first.source.status.isPaused, 'it pauses')
  await first.source.stop()
  const second = startSource(t, broker, options)
  let settled = 0
  const settle = async () => {
    for (; settled < second.deliveries.length; settled++) second.deliveries[settled]?.settle()
    return settled === 5_001
  }
  await until(settle, 'the queue of the session is emptied')
  const [retained, ...rest] = payloads(second.deliveries).toSorted(
    (a, b) => Number(b === 'retained') - Number(a === 'retained'),
  )
  assert.equal(retained, 'retained')
  assert.deepEqual(rest, upTo(5_000))
})

test('its own QoS 1 messages are accepted', async (t) => {
  const broker = await start(t)
  const subscriber = await connect(t, tcp(broker))
  const messages = received(subscriber)
  await subscriber.subscribeAsync('qs/v1/deadletter', { qos: 1 })
  const { source, connected } = startSource(t, broker)
  await connected
  for (const letter of upTo(2_500)) source.publish('qs/v1/deadletter', letter, 1)
  await until(() => messages.length === 2_500, 'all letters')
  await source.drain()
})

test('a second ingester with the same client id is reported, and it stops', async (t) => {
  const broker = await start(t)
  const failures: Error[] = []
  const { connected } = startSource(t, broker, { onFailure: (error) => failures.push(error) })
  await connected
  await connect(t, tcp(broker), { clientId: 'ingester' })
  await until(() => failures.length === 1, 'the failure')
  assert.match(String(failures[0]), /MQTT_CLIENT_ID/)
})
