import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { generate, type Packet } from 'mqtt-packet'
import { retainedAlarm } from '../../../src/alarms/broker-alarms.ts'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { DirectIntake } from '../../../src/intake/direct-intake.ts'
import { SystemClock } from '../../../src/pipeline/clock.ts'
import type { Delivery } from '../../../src/pipeline/delivery.ts'
import { connect, received, start, tcp, webSocket } from './connecting.ts'
import { connectedRaw, connectPacket, publishPacket, type RawClient, rawClient } from './raw-client.ts'

interface Stage {
  readonly broker: EmbeddedBroker
  readonly intake: DirectIntake
  readonly deliveries: readonly Delivery[]
}

/** The broker with an intake whose pipeline settles nothing by itself. */
async function stage(
  t: TestContext,
  options: { readonly open?: false; readonly messages?: number } = {},
): Promise<Stage> {
  const intake = new DirectIntake({
    highWatermark: { messages: options.messages ?? 20_000, bytes: 16 * 1024 * 1024 },
    clock: new SystemClock(),
    maxPayloadBytes: 1_000_000,
  })
  const isEvents = (topic: string) => /^events\/[^/]+$/.test(topic)
  const broker = await start(t, { events: { intake, isEvents }, maxPacketBytes: 1_000_000 })
  const deliveries: Delivery[] = []
  const onDelivery = (delivery: Delivery) => deliveries.push(delivery)
  intake.attach({ onDelivery, onFailure: (error) => assert.fail(error) }, broker)
  await intake.start()
  t.after(() => intake.stop())
  if (options.open !== false) broker.open()
  return { broker, intake, deliveries }
}

const event = (messageId: number, payload: string | Buffer = 'x', qos: 0 | 1 | 2 = 1): Packet =>
  ({ ...publishPacket(messageId, payload, qos), topic: 'events/a' }) as Packet

const answers = (client: RawClient) =>
  client.got.filter(({ cmd }) => cmd === 'puback' || cmd === 'pubrec').map(({ messageId }) => messageId)

/** Waits until the broker has read everything sent before. */
async function settled(client: RawClient): Promise<void> {
  const pings = client.got.filter(({ cmd }) => cmd === 'pingresp').length
  client.send({ cmd: 'pingreq' })
  await client.wait('pingresp', pings + 1)
}

test('no client is admitted before the pipeline is there', async (t) => {
  const { broker } = await stage(t, { open: false })
  for (const port of [broker.port, broker.wsPort]) {
    const early = connectSocket(port, '127.0.0.1').resume()
    early.on('error', () => {})
    await once(early, 'close')
  }
  broker.open()
  await connect(t, tcp(broker))
})

test('the PUBACK leaves when the message is settled, in the order of arrival', async (t) => {
  const { broker, deliveries } = await stage(t)
  const client = await connectedRaw(t, broker)
  client.send(event(5, 'first'), event(6, 'second'), { ...publishPacket(7), topic: 'other' } as Packet)
  await settled(client)
  assert.deepEqual(
    deliveries.map(({ topic, payload }) => `${topic} ${payload}`),
    ['events/a first', 'events/a second'],
  )
  deliveries[1]?.settle()
  await settled(client)
  assert.deepEqual(answers(client), [], 'also of a topic that needs no commit [MQTT-4.6.0-2]')
  deliveries[0]?.settle()
  await client.wait('puback', 3)
  assert.deepEqual(answers(client), [5, 6, 7])
})

test('the server time of a message that had to wait for room is when the pipeline takes it', async (t) => {
  const { broker, deliveries } = await stage(t, { messages: 1 })
  const client = await connectedRaw(t, broker)
  client.send(event(1), event(2), event(3))
  await settled(client)
  assert.equal(deliveries.length, 2, 'the third has no room')
  const clock = new SystemClock()
  const before = clock.monotonicMs()
  await until(() => clock.monotonicMs() >= before + 2, 'the clock to go on')
  const { epochMs } = clock.now()
  for (const delivery of deliveries.slice()) delivery.settle()
  await until(() => deliveries.length === 3, 'the third')
  assert.ok((deliveries[2]?.receivedAt.epochMs ?? 0) >= epochMs)
})

test('MQTT 5 learns from the PUBACK that a message was rejected, and why', async (t) => {
  const { broker, deliveries } = await stage(t)
  const client = await connectedRaw(t, broker)
  const curt = await connectedRaw(t, broker, { properties: { requestProblemInformation: false } })
  for (const each of [client, curt]) {
    each.send(event(1), event(2, 'x', 2))
    await settled(each)
  }
  for (const delivery of deliveries) delivery.settle('EVENT_ID_CONFLICT')
  for (const [each, reasonString] of [
    [client, 'EVENT_ID_CONFLICT'],
    [curt, undefined],
  ] as const) {
    const [puback] = await each.wait('puback')
    const [pubrec] = await each.wait('pubrec')
    for (const answer of [puback, pubrec])
      assert.deepEqual([answer?.reasonCode, answer?.properties?.reasonString], [0x99, reasonString])
  }
})

test('a reason string is not sent to a client that wants none or has no room for it', async (t) => {
  const { broker, deliveries } = await stage(t)
  const curt = { clientId: 'curt', properties: { requestProblemInformation: false } }
  // With the reason string, the answer has 26 bytes.
  const narrow = { clientId: 'narrow', properties: { maximumPacketSize: 25 } }
  for (const options of [curt, narrow]) {
    const client = await connectedRaw(t, broker, options)
    const before = deliveries.length
    client.send(event(1), event(2, 'x', 2))
    await settled(client)
    for (const delivery of deliveries.slice(before)) delivery.settle('EVENT_ID_CONFLICT')
    const [puback] = await client.wait('puback')
    const [pubrec] = await client.wait('pubrec')
    for (const answer of [puback, pubrec])
      assert.deepEqual([answer?.reasonCode, answer?.properties?.reasonString], [0x99, undefined])
    const [connack] = await client.wait('connack')
    assert.equal(connack?.properties?.userProperties !== undefined, options === curt)
  }
})

for (const version of [4, 5] as const) {
  test(`MQTT ${version}: PUBREC leaves when the message is settled; one sent again counts once`, async (t) => {
    const { broker, deliveries } = await stage(t)
    const client = await connect(t, tcp(broker), { protocolVersion: version })
    const published = client.publishAsync('events/a', 'x', { qos: 2 })
    await until(() => deliveries.length === 1, 'the delivery')
    deliveries[0]?.settle()
    await published

    const raw = await connectedRaw(t, broker, { clientId: 'raw' })
    raw.send(event(3, 'y', 2), { ...event(3, 'y', 2), dup: true } as Packet)
    await settled(raw)
    assert.equal(deliveries.length, 2)
    deliveries[1]?.settle()
    await raw.wait('pubrec')
    raw.send({ ...event(3, 'y', 2), dup: true } as Packet)
    await raw.wait('pubrec', 2)
    raw.send({ cmd: 'pubrel', messageId: 3 })
    await raw.wait('pubcomp')
    assert.equal(deliveries.length, 2)
  })
}

test('an answer never leaves on another connection: what was not answered is taken again', async (t) => {
  const { broker, deliveries } = await stage(t)
  const session = { clientId: 'b', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const first = await connectedRaw(t, broker, session)
  first.send(event(1), event(2, 'x', 2))
  await settled(first)
  first.destroy()
  const second = await connectedRaw(t, broker, session)
  for (const delivery of deliveries) delivery.settle()
  await settled(second)
  assert.deepEqual(answers(second), [])
  second.send({ ...event(1), dup: true } as Packet, { ...event(2, 'x', 2), dup: true } as Packet)
  await settled(second)
  assert.equal(deliveries.length, 4)
  assert.deepEqual(
    deliveries.map(({ redelivered }) => redelivered),
    [false, false, true, true],
  )
  for (const delivery of deliveries.slice(2)) delivery.settle()
  await second.wait('pubrec')
  assert.deepEqual(answers(second), [1, 2])
})

test('a board that restarts before its PUBREL and counts from 1 again loses no event', async (t) => {
  const { broker, deliveries } = await stage(t)
  const session = { clientId: 'b', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const first = await connectedRaw(t, broker, session)
  first.send(event(1, 'a', 2))
  await until(() => deliveries.length === 1, 'the event')
  deliveries[0]?.settle()
  await first.wait('pubrec')
  first.destroy()
  const second = await connectedRaw(t, broker, session)
  second.send({ ...event(1, 'a', 2), dup: true } as Packet)
  await second.wait('pubrec')
  assert.equal(deliveries.length, 1, 'the same event is committed')
  for (const [n, dup] of [false, true].entries()) {
    second.send({ ...event(1, `b${n}`, 2), dup } as Packet)
    await settled(second)
    assert.equal(String(deliveries[n + 1]?.payload), `b${n}`)
    assert.equal(answers(second).length, n + 1, 'no PUBREC before the commit')
    deliveries[n + 1]?.settle()
    await second.wait('pubrec', n + 2)
  }
})

test('a QoS 2 message that waits behind an event reaches its subscribers once, also across a reconnect', async (t) => {
  const { broker, deliveries } = await stage(t)
  const watcher = await connectedRaw(t, broker)
  watcher.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'other', qos: 2 }] })
  await watcher.wait('suback')
  const session = { clientId: 'b', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const other = { ...publishPacket(7, 'x', 2), topic: 'other' } as Packet
  const first = await connectedRaw(t, broker, session)
  first.send(event(1), other, { ...other, dup: true } as Packet)
  await settled(first)
  first.destroy()
  const second = await connectedRaw(t, broker, session)
  second.send({ ...event(1), dup: true } as Packet, { ...other, dup: true } as Packet)
  await settled(second)
  for (const delivery of deliveries) delivery.settle()
  await second.wait('pubrec')
  await settled(watcher)
  assert.equal(watcher.got.filter(({ cmd }) => cmd === 'publish').length, 1)
  assert.deepEqual(answers(second), [1, 7])
})

test('subscribers of event topics get the message as with any broker, and a retained one too', async (t) => {
  const { broker, deliveries } = await stage(t)
  const watcher = await connect(t, tcp(broker))
  const messages = received(watcher)
  await watcher.subscribeAsync('events/+', { qos: 1 })
  const device = await connect(t, webSocket(broker))
  const sent = device.publishAsync('events/a', 'x', { qos: 1, retain: true })
  await until(() => messages.length === 1, 'the message, before it is settled')
  const late = await connect(t, tcp(broker))
  const lateMessages = received(late)
  await late.subscribeAsync('events/#')
  await until(() => lateMessages.length === 1, 'the retained message')
  deliveries[0]?.settle()
  await sent
})

test('a will on an event topic is taken', async (t) => {
  const { broker, deliveries } = await stage(t)
  const will = { topic: 'events/a', payload: Buffer.from('gone'), qos: 0, retain: false } as const
  const client = await connectedRaw(t, broker, { will })
  client.destroy()
  await until(() => deliveries.length === 1, 'the will')
  assert.equal(String(deliveries[0]?.payload), 'gone')
  deliveries[0]?.settle()
})

for (const way of ['3.1.1', '5', 'WebSocket'] as const) {
  test(`a device has its share in the pipeline and is read on when half of it is settled: ${way}`, async (t) => {
    const { broker, deliveries, intake } = await stage(t)
    const url = way === 'WebSocket' ? webSocket(broker) : tcp(broker)
    const flood = await connect(t, url, { protocolVersion: way === '5' ? 5 : 4 })
    const honest = await connect(t, tcp(broker))
    const all = Array.from({ length: 60 }, () =>
      flood.publishAsync('events/flood', Buffer.alloc(90_000), { qos: 1 }),
    )
    await until(() => intake.status.isPaused, 'it is not read')
    const taken = deliveries.length
    // 256 KiB of reads. The rest of the read is not taken.
    assert.ok(taken === 2 || taken === 3, `${taken} are taken`)
    const own = honest.publishAsync('events/honest', 'x', { qos: 1 })
    await until(() => deliveries.at(-1)?.topic === 'events/honest', 'another device is taken')
    await honest.publishAsync('other', 'x', { qos: 0 })
    let done = 0
    const settle = () => {
      for (; done < deliveries.length; done++) deliveries[done]?.settle()
      return done === 61
    }
    await until(settle, 'all arrive')
    await Promise.all([...all, own])
    assert.equal(intake.status.unsettledBytes, 0)
    assert.equal(intake.status.isPaused, false)
  })
}

test('at the watermark each connection has a small share, and the rest of its read is not taken', async (t) => {
  const { broker, intake, deliveries } = await stage(t, { messages: 20 })
  const count = 300
  const all = Buffer.concat(
    Array.from({ length: count }, (_, n) => generate(event(n + 1), { protocolVersion: 5 })),
  )
  const flood = await connectedRaw(t, broker)
  flood.send(all)
  await until(() => intake.status.isPaused, 'it is not read')
  assert.equal(deliveries.length, 20)
  const honest = await connectedRaw(t, broker)
  honest.send(event(1))
  await settled(honest)
  assert.equal(deliveries.length, 21)
  const second = await connectedRaw(t, broker)
  second.send(all)
  await until(() => deliveries.length === 31, 'ten of another flood')
  await settled(honest)
  assert.equal(deliveries.length, 31)
  let done = 0
  let most = 0
  const settle = () => {
    most = Math.max(most, intake.status.unsettledMessages)
    for (const delivery of deliveries.slice(done)) delivery.settle()
    done = deliveries.length
    return answers(flood).length === count && answers(second).length === count
  }
  await until(settle, 'all are answered')
  assert.ok(most <= 40, `${most} at once`)
  for (const client of [flood, second])
    assert.deepEqual(
      answers(client),
      Array.from({ length: count }, (_, n) => n + 1),
    )
  assert.equal(intake.status.isPaused, false)
})

test('while nothing is settled, PINGREQ is answered, other topics flow and connections stay', async (t) => {
  const { broker, intake } = await stage(t)
  const device = await connectedRaw(t, broker, { keepalive: 1 })
  // As many as its receive maximum allows, but one.
  for (let id = 1; id <= 999; id++) device.send(event(id))
  await settled(device)
  assert.equal(intake.status.unsettledMessages, 999)
  const watcher = await connect(t, tcp(broker))
  const messages = received(watcher)
  await watcher.subscribeAsync('commands')
  const startMs = performance.now()
  while (performance.now() - startMs < 2_500) await settled(device)
  device.send({ ...publishPacket(1_000), topic: 'commands' } as Packet)
  await until(() => messages.length === 1, 'the other topic')
  assert.ok(!device.isClosed)
})

test('after the process has stood still, a client that sent its PINGREQ in time keeps its connection', async (t) => {
  const { broker } = await stage(t)
  const device = await connectedRaw(t, broker, { keepalive: 1 })
  const startMs = performance.now()
  device.send({ cmd: 'pingreq' })
  // More than one and a half keep-alives, and a timer of the broker is due.
  while (performance.now() - startMs < 2_600);
  await device.wait('pingresp')
  await settled(device)
})

test('a client whose messages have to wait still gets its PINGRESP', async (t) => {
  const { broker, intake, deliveries } = await stage(t, { messages: 20 })
  const device = await connectedRaw(t, broker, { keepalive: 1 })
  // Far less than the 64 KiB that are read behind a message that waits.
  for (let id = 1; id <= 100; id++) device.send(event(id, Buffer.alloc(100)))
  await until(() => intake.status.isPaused, 'the last has to wait')
  const startMs = performance.now()
  while (performance.now() - startMs < 2_500) await settled(device)
  assert.equal(deliveries.length, 20)
  for (let n = 0; n < 100; n++) {
    await until(() => deliveries.length > n, `message ${n + 1} is taken`)
    deliveries[n]?.settle()
  }
  await device.wait('puback', 100)
  assert.deepEqual(
    answers(device),
    deliveries.map((_, n) => n + 1),
  )
  await settled(device)
})

test('a message sent again while it waits is taken once and answered once', async (t) => {
  const { broker, deliveries } = await stage(t)
  const device = await connectedRaw(t, broker)
  device.send(event(1, 'first'), event(2, 'second'))
  for (let n = 0; n < 50; n++) device.send({ ...event(1, 'first'), dup: true } as Packet)
  // The packet identifier is in use: a fault of the client, but nothing that it was told is stored may be missing.
  device.send({ ...event(2, 'another'), dup: true } as Packet)
  await settled(device)
  assert.deepEqual(
    deliveries.map(({ payload }) => String(payload)),
    ['first', 'second', 'another'],
  )
  for (const delivery of deliveries) delivery.settle()
  await settled(device)
  assert.deepEqual(answers(device), [1, 2, 2])
})

test('a client that reconnects has no further share, whatever its client id', async (t) => {
  const { broker, intake, deliveries } = await stage(t, { messages: 20 })
  const flood = Buffer.concat(
    Array.from({ length: 100 }, (_, n) => generate(event(n + 1), { protocolVersion: 5 })),
  )
  const again = async (clientId: string) => {
    const client = await connectedRaw(t, broker, { clientId })
    client.send(flood)
    await until(() => intake.status.isPaused, 'it has to wait')
    client.destroy()
    await until(() => !intake.status.isPaused, 'it is gone')
  }
  for (let n = 0; n < 5; n++) await again('same')
  assert.equal(deliveries.length, 20)
  for (let n = 0; n < 5; n++) await again(`other-${n}`)
  assert.equal(deliveries.length, 20, 'other ids of the same address')
  const will = { topic: 'events/a', payload: Buffer.from('gone'), qos: 1, retain: false } as const
  const leaving = await connectedRaw(t, broker, { will })
  leaving.destroy()
  await until(() => intake.status.willsDropped?.count === 1, 'its will is dropped and counted')
  assert.equal(intake.status.qos0Dropped, null)
  for (const delivery of deliveries) delivery.settle()
  assert.equal(intake.status.unsettledMessages, 0)
  const client = await connectedRaw(t, broker, { clientId: 'same' })
  client.send(event(1))
  await until(() => deliveries.length === 21, 'it has its share again')
})

test('a connection that is not read does not end for its silence', async (t) => {
  const { broker, intake, deliveries } = await stage(t)
  const device = await connectedRaw(t, broker, { keepalive: 1 })
  for (let id = 1; id <= 5; id++) device.send(event(id, Buffer.alloc(100_000)))
  await until(() => intake.status.isPaused, 'it is not read')
  const startMs = performance.now()
  await until(() => performance.now() - startMs > 3_500, 'more than two keep-alives')
  assert.ok(!device.isClosed)
  await until(() => {
    for (const delivery of deliveries.slice(answers(device).length)) delivery.settle()
    return answers(device).length === 5
  }, 'it is read on')
})

test('QoS 0 waits in the network at first, and is dropped and counted while nothing is committed', async (t) => {
  const { broker, intake, deliveries } = await stage(t)
  const device = await connectedRaw(t, broker, { clientId: 'board-1' })
  const count = 40
  for (let id = 1; id <= count; id++) device.send(event(0, Buffer.alloc(90_000), 0))
  await settled(device)
  const { qos0Dropped } = intake.status
  const taken = deliveries.length
  assert.ok(taken === 2 || taken === 3, `${taken} are taken`)
  assert.deepEqual([qos0Dropped?.count, qos0Dropped?.client], [count - taken, 'board-1'])
  assert.equal(broker.dropped, 0, 'it counts what it did not deliver to subscribers')
})

test('a PUBREC that is sent again waits for those before it [MQTT-4.6.0-3]', async (t) => {
  const { broker, deliveries } = await stage(t)
  const session = { clientId: 'b', clean: false, properties: { sessionExpiryInterval: 60 } } as const
  const first = await connectedRaw(t, broker, session)
  first.send(event(1, 'refused', 2), event(2, 'stored', 2))
  await settled(first)
  deliveries[0]?.settle('INVALID_JSON')
  deliveries[1]?.settle()
  await first.wait('pubrec', 2)
  first.destroy()
  // To the device both PUBRECs are lost. The first ended its exchange, so its message is a new one.
  const second = await connectedRaw(t, broker, session)
  second.send(event(1, 'refused', 2), { ...event(2, 'stored', 2), dup: true } as Packet)
  await settled(second)
  assert.equal(deliveries.length, 3)
  assert.deepEqual(answers(second), [])
  deliveries[2]?.settle('INVALID_JSON')
  await second.wait('pubrec', 2)
  assert.deepEqual(answers(second), [1, 2])
})

test('answers that wait behind an event are bounded: the client is not read until it is settled', async (t) => {
  const { broker, intake, deliveries } = await stage(t)
  const client = await connect(t, tcp(broker), { protocolVersion: 4 })
  const watcher = await connect(t, tcp(broker))
  const heard = received(watcher)
  await watcher.subscribeAsync('other')
  const count = 3_000
  const event311 = client.publishAsync('events/a', 'x', { qos: 1 })
  const others = Array.from({ length: count }, () => client.publishAsync('other', 'y', { qos: 1 }))
  await until(() => intake.status.isPaused, 'it is not read')
  await watcher.publishAsync('none', '', { qos: 1 })
  assert.ok(heard.length <= 1_000, `${heard.length} messages`)
  deliveries[0]?.settle()
  await Promise.all([event311, ...others])
  await until(() => heard.length === count, 'all are delivered')
})

test('more unanswered messages than the receive maximum end an MQTT 5 connection', async (t) => {
  const { broker } = await stage(t)
  const device = await connectedRaw(t, broker)
  device.send(
    Buffer.concat(
      Array.from({ length: 1_001 }, (_, n) => generate(event(n + 1, ''), { protocolVersion: 5 })),
    ),
  )
  const [disconnect] = await device.wait('disconnect')
  assert.equal(disconnect?.reasonCode, 0x93)
})

test('while the intake drains nothing is taken, and it waits for what was', async (t) => {
  const { broker, intake, deliveries } = await stage(t)
  const device = await connectedRaw(t, broker)
  device.send(event(1))
  await settled(device)
  let isDrained = false
  const drained = intake.drain().then(() => {
    isDrained = true
  })
  device.send(event(2))
  const late = rawClient(t, broker)
  late.send(connectPacket({ clientId: 'late' }), event(3))
  await late.wait('connack')
  await until(() => device.unsentBytes === 0, 'it is sent')
  assert.equal(isDrained, false)
  deliveries[0]?.settle()
  await drained
  await broker.stop()
  await Promise.all([device.waitClosed(), late.waitClosed()])
  assert.deepEqual([answers(device), answers(late), deliveries.length], [[1], [], 1])
})

test('an event that finds no room among the retained messages is stored, and an alarm says so', async (t) => {
  const { broker, deliveries } = await stage(t)
  const client = await connectedRaw(t, broker)
  const large = Buffer.alloc(990_000)
  for (let n = 1; n <= 70; n++)
    client.send({ ...publishPacket(n, large, n === 70 ? 1 : 0), topic: `t/${n}`, retain: true } as Packet)
  const [refused] = await client.wait('puback')
  assert.equal(refused?.reasonCode, 0x97)
  const before = broker.unretained.count
  client.send({ ...event(71, large), retain: true } as Packet)
  await settled(client)
  deliveries[0]?.settle()
  const [, stored] = await client.wait('puback', 2)
  assert.equal(stored?.reasonCode ?? 0, 0)
  assert.equal(broker.unretained.count, before + 1)
  const text = retainedAlarm(() => broker.unretained).check(performance.now())
  assert.match(text ?? '', /not retained \d+ messages .* on "events\/a"/)
})
