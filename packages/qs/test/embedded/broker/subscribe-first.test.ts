import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import mqtt from 'mqtt'
import { type IPublishPacket, type Packet, parser, writeToStream } from 'mqtt-packet'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { connect, start, tcp } from './connecting.ts'
import { connectPacket, publishPacket, rawClient } from './raw-client.ts'

const ingesterId = 'ingester'

/** The durable session of the ingester within the process. */
async function ingester(broker: EmbeddedBroker) {
  const connection = broker.connect()
  const got: Packet[] = []
  const reader = parser()
  reader.on('packet', (packet) => got.push(packet))
  connection.on('data', (chunk) => reader.parse(chunk))
  writeToStream(
    {
      cmd: 'connect',
      clientId: ingesterId,
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: false,
      keepalive: 0,
    },
    connection,
  )
  writeToStream(
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'events/+', qos: 1 }] },
    connection,
  )
  await until(() => got.some(({ cmd }) => cmd === 'suback'), 'SUBACK')
  const events = () => got.filter((packet): packet is IPublishPacket => packet.cmd === 'publish')
  const puback = ({ messageId = 0 }: IPublishPacket) =>
    writeToStream({ cmd: 'puback', messageId }, connection)
  /** Acknowledges received and future messages, as after COMMIT. */
  const pubackAll = () => {
    events().forEach(puback)
    reader.on('packet', (packet) => packet.cmd === 'publish' && puback(packet))
  }
  return { connection, events, pubackAll }
}

test('no client is admitted before the ingester has subscribed', async (t) => {
  const broker = await start(t, { ingesterId })
  for (const port of [broker.port, broker.wsPort]) {
    const early = connectSocket(port, '127.0.0.1').resume()
    early.on('error', () => {})
    await once(early, 'close')
  }
  const { events } = await ingester(broker)
  broker.open()
  const device = await connect(t, tcp(broker))
  await device.publishAsync('events/a', 'x', { qos: 1 })
  await until(() => events().length === 1, 'the event arrives')
})

for (const qos of [0, 1, 2] as const) {
  test(`QoS ${qos} events wait for an ingester that is away, and arrive with QoS 1`, async (t) => {
    const broker = await start(t, { ingesterId })
    const before = await ingester(broker)
    broker.open()
    before.connection.destroy()
    const device = await connect(t, tcp(broker))
    for (let i = 0; i < 50; i++) await device.publishAsync('events/a', String(i), { qos })
    await until(() => broker.waiting === 50, 'all wait')
    const { events } = await ingester(broker)
    await until(() => events().length === 50, 'all arrive')
    assert.deepEqual(
      events().map((event) => [Number(event.payload), event.qos]),
      Array.from({ length: 50 }, (_, i) => [i, 1]),
    )
  })
}

test('an ingester that pauses reading is not disconnected, and publishers wait at most a second', async (t) => {
  const broker = await start(t, { ingesterId, maxPacketBytes: 1_000_000 })
  const { connection, events, pubackAll } = await ingester(broker)
  broker.open()
  connection.pause()
  const gateway = await connect(t, tcp(broker))
  const lone = await connect(t, tcp(broker))
  for (let i = 0; i < 100; i++) gateway.publish(`events/${i}`, Buffer.alloc(60_000), { qos: 1 })
  await until(() => broker.waiting > 60, 'the queue is long')
  const startMs = performance.now()
  await lone.publishAsync('events/b', 'x', { qos: 1 })
  await lone.publishAsync('events/b', 'y', { qos: 1 })
  // A second each; without that limit, until the ingester reads again.
  assert.ok(performance.now() - startMs < 10_000, 'two messages')
  pubackAll()
  connection.resume()
  await until(() => events().length === 102, 'all arrive in the end')
  assert.equal(broker.deaf, null)
})

for (const way of ['3.1.1', '5', 'WebSocket'] as const) {
  test(`a device is read as fast as its events are committed, and other devices are not slowed: ${way}`, async (t) => {
    const broker = await start(t, { ingesterId, maxPacketBytes: 1_000_000 })
    const { events, pubackAll } = await ingester(broker)
    broker.open()
    const url = way === 'WebSocket' ? `ws://127.0.0.1:${broker.wsPort}` : tcp(broker)
    const flood = await connect(t, url, { protocolVersion: way === '5' ? 5 : 4 })
    const honest = await connect(t, tcp(broker))
    const startMs = performance.now()
    for (let i = 0; i < 60; i++) flood.publish('events/flood', Buffer.alloc(90_000), { qos: 1 })
    await until(() => broker.waiting >= 3, 'the device has its share of the queue')
    const honestMs = performance.now()
    for (let i = 0; i < 20; i++) await honest.publishAsync('events/honest', 'x', { qos: 1 })
    // If they were read like those of the flood, it would take 20 s.
    assert.ok(performance.now() - honestMs < 10_000)
    // 256 KiB, the message that exceeds it, and one read per second of at most two messages.
    const most = 20 + 4 + 2 * (1 + (performance.now() - startMs) / 1_000)
    assert.ok(broker.waiting <= most, `${broker.waiting} wait`)
    const resumeMs = performance.now()
    pubackAll()
    await until(() => events().length === 80, 'all arrive')
    // At the pace of before, it would take 18 s.
    assert.ok(performance.now() - resumeMs < 10_000, 'it is read on as soon as its events are committed')
  })
}

test('an outside client cannot take over the session of the ingester', async (t) => {
  const broker = await start(t, { ingesterId })
  const { connection } = await ingester(broker)
  broker.open()
  const stranger = mqtt.connectAsync(
    tcp(broker),
    { clientId: ingesterId, protocolVersion: 4, reconnectPeriod: 0 },
    false,
  )
  await assert.rejects(stranger, /Identifier rejected/)
  assert.ok(!connection.destroyed)
})

test('before it stops, it reads nothing more and waits for messages that the ingester has not acknowledged', async (t) => {
  const broker = await start(t, { ingesterId })
  const { connection, events } = await ingester(broker)
  broker.open()
  const device = await connect(t, tcp(broker))
  for (let i = 0; i < 50; i++) await device.publishAsync('events/a', String(i), { qos: 1 })
  await until(() => events().length === 50, 'all arrive')
  let isDrained = false
  const drained = broker.drain(60_000).then(() => {
    isDrained = true
  })
  device.publish('events/a', 'late', { qos: 1 })
  for (const { messageId = 0 } of events().slice(0, 49))
    writeToStream({ cmd: 'puback', messageId }, connection)
  await until(() => broker.waiting === 1, '49 are acknowledged')
  assert.equal(isDrained, false)
  writeToStream({ cmd: 'puback', messageId: events()[49]?.messageId ?? 0 }, connection)
  await drained
  assert.equal(events().length, 50, 'the late one was not taken')
  assert.equal(broker.waiting, 0)
})

test('a client that logs in while the broker drains gets no PUBACK', async (t) => {
  const broker = await start(t, { ingesterId })
  const { events } = await ingester(broker)
  broker.open()
  const late = rawClient(t, broker)
  // Connections are accepted in order, so the broker also has the previous one, which has sent nothing.
  await connect(t, tcp(broker))
  const drained = broker.drain(60_000)
  late.send(connectPacket({ clientId: 'late' }))
  await late.wait('connack')
  late.send({ ...publishPacket(1), topic: 'events/a' } as Packet)
  await drained
  await broker.drain(60_000)
  await broker.stop()
  await late.waitClosed()
  assert.ok(!late.got.some(({ cmd }) => cmd === 'puback'))
  assert.equal(events().length, 0)
})

test('draining continues while the ingester acknowledges messages, and ends when it stops', async (t) => {
  const broker = await start(t, { ingesterId })
  const { connection, events } = await ingester(broker)
  broker.open()
  const device = await connect(t, tcp(broker))
  for (let i = 0; i < 20; i++) await device.publishAsync('events/a', String(i), { qos: 1 })
  await until(() => events().length === 20, 'all arrive')
  const stallMs = 400
  const startMs = performance.now()
  let acknowledged = 0
  const timer = setInterval(() => {
    const { messageId = 0 } = events()[acknowledged++] as IPublishPacket
    writeToStream({ cmd: 'puback', messageId }, connection)
    if (acknowledged === 10) clearInterval(timer)
  }, 100)
  t.after(() => clearInterval(timer))
  await broker.drain(stallMs)
  assert.equal(acknowledged, 10)
  assert.equal(broker.unsettled, 10)
  assert.ok(performance.now() - startMs > 1_000, 'longer than the stall, since there was progress')
})
