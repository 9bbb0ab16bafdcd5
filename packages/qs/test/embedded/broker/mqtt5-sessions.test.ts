import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts'
import { connect, start, tcp } from './connecting.ts'
import { connectedRaw, type RawClient } from './raw-client.ts'

const topic = 't'

/** Connects as `id`, with the session flags of MQTT 5. */
function client(t: TestContext, broker: EmbeddedBroker, clean: boolean, sessionExpiryInterval: number) {
  return connectedRaw(t, broker, { clientId: 'id', clean, properties: { sessionExpiryInterval } })
}

async function subscribe(raw: RawClient): Promise<void> {
  raw.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 2 }] })
  await raw.wait('suback')
}

async function leave(raw: RawClient, sessionExpiryInterval?: number): Promise<void> {
  const properties = sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval }
  raw.send({ cmd: 'disconnect', reasonCode: 0, properties })
  await raw.waitClosed()
}

const isPresent = (raw: RawClient) =>
  raw.got.some((packet) => packet.cmd === 'connack' && packet.sessionPresent)

test('a session outlasts its connection by its expiry, with messages published meanwhile', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const first = await client(t, broker, true, 60)
  await subscribe(first)
  await leave(first)
  for (const [qos, payload] of [
    [1, 'a'],
    [2, 'b'],
  ] as const) {
    await publisher.publishAsync(topic, payload, { qos })
  }
  const second = await client(t, broker, false, 60)
  assert.ok(isPresent(second))
  const publishes = await second.wait('publish', 2)
  assert.deepEqual(
    publishes.map(({ payload, qos }) => [String(payload), qos]),
    [
      ['a', 1],
      ['b', 2],
    ],
  )
})

test('without an expiry it ends with its connection, however that closes', async (t) => {
  const broker = await start(t)
  const first = await client(t, broker, false, 0)
  await subscribe(first)
  await leave(first)
  const second = await client(t, broker, false, 0)
  assert.ok(!isPresent(second))
  await subscribe(second)
  // Taken over: its connection closes and the session ends.
  const third = await client(t, broker, false, 60)
  assert.ok(!isPresent(third))
  await subscribe(third)
  const fourth = await client(t, broker, false, 60)
  assert.ok(isPresent(fourth))
})

test('it expires', async (t) => {
  const broker = await start(t)
  const first = await client(t, broker, true, 1)
  await subscribe(first)
  await leave(first)
  await delay(1_200)
  const second = await client(t, broker, false, 1)
  assert.ok(!isPresent(second))
})

test('a clean start discards an older session, also for a new durable one', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const first = await client(t, broker, true, 60)
  await subscribe(first)
  await leave(first)
  await publisher.publishAsync(topic, 'old', { qos: 1 })
  const second = await client(t, broker, true, 60)
  assert.ok(!isPresent(second))
  await subscribe(second)
  await publisher.publishAsync(topic, 'new', { qos: 1 })
  const [publish] = await second.wait('publish')
  assert.equal(String(publish?.payload), 'new')
})

test('messages excluded by "no local" are not queued in the session either', async (t) => {
  const broker = await start(t)
  const publisher = await connect(t, tcp(broker))
  const first = await client(t, broker, true, 60)
  first.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1, nl: true }] })
  await first.wait('suback')
  first.send({ cmd: 'publish', topic, payload: 'own', qos: 1, dup: false, retain: false, messageId: 2 })
  await first.wait('puback')
  await leave(first)
  await publisher.publishAsync(topic, 'other', { qos: 1 })
  const second = await client(t, broker, false, 60)
  const [publish] = await second.wait('publish')
  assert.equal(String(publish?.payload), 'other')
})

test('without the correct password, a client cannot discard a session', async (t) => {
  const broker = await start(t, { credentials: { username: 'u', password: 'p' } })
  const login = { username: 'u', password: Buffer.from('p') }
  const session = { clientId: 'id', properties: { sessionExpiryInterval: 60 } }
  const owner = await connectedRaw(t, broker, { ...session, ...login })
  await subscribe(owner)
  const thief = await connectedRaw(t, broker, { ...session, ...login, password: Buffer.from('x') })
  assert.equal((await thief.wait('connack'))[0]?.reasonCode, 0x86)
  assert.ok(!owner.isClosed)
  await leave(owner)
  const back = await connectedRaw(t, broker, { ...session, ...login, clean: false })
  assert.ok(isPresent(back))
})

test('DISCONNECT may end a session, and a 3.1.1 client may resume one', async (t) => {
  const broker = await start(t)
  const first = await client(t, broker, true, 60)
  await subscribe(first)
  await leave(first, 0)
  const second = await client(t, broker, false, 60)
  assert.ok(!isPresent(second))
  await subscribe(second)
  await leave(second)
  const third = await connect(t, tcp(broker), { clientId: 'id', clean: false })
  const publisher = await connect(t, tcp(broker))
  const message = new Promise((resolve) =>
    third.once('message', (_topic, payload) => resolve(String(payload))),
  )
  await publisher.publishAsync(topic, 'x', { qos: 1 })
  assert.equal(await message, 'x')
})

test('QoS 2 resumes where it stopped, and a resent PUBLISH is not a second message', async (t) => {
  const broker = await start(t)
  const subscriber = await connect(t, tcp(broker))
  const messages: string[] = []
  subscriber.on('message', (_topic, payload) => messages.push(String(payload)))
  await subscriber.subscribeAsync(topic, { qos: 2 })
  const first = await client(t, broker, true, 60)
  await subscribe(first)
  const publish = {
    cmd: 'publish',
    topic,
    payload: 'x',
    qos: 2,
    dup: false,
    retain: false,
    messageId: 5,
  } as const
  first.send(publish)
  await first.wait('pubrec')
  await first.wait('publish')
  first.destroy()
  const second = await client(t, broker, false, 60)
  second.send({ ...publish, dup: true })
  await second.wait('pubrec')
  second.send({ cmd: 'pubrel', messageId: 5 })
  await second.wait('pubcomp')
  const [again] = await second.wait('publish')
  const messageId = again?.messageId ?? 0
  second.send({ cmd: 'pubrec', messageId })
  await second.wait('pubrel')
  second.send({ cmd: 'pubcomp', messageId })
  await leave(second)
  const third = await client(t, broker, false, 60)
  third.send({ cmd: 'pingreq' })
  await third.wait('pingresp')
  assert.deepEqual(
    third.got.map(({ cmd }) => cmd),
    ['connack', 'pingresp'],
  )
  assert.deepEqual(messages, ['x'])
})
