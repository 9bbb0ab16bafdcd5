import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lasting, publish, pureBroker, received, subscribe } from './pure-broker.ts'

const will = (delaySeconds: number) => ({
  will: {
    ...({ topic: 'will', payload: Buffer.from('x'), qos: 1, retain: false } as const),
    properties: { willDelayInterval: delaySeconds },
  },
})

const isPresent = (client: { of(cmd: 'connack'): readonly { readonly sessionPresent: boolean }[] }) =>
  client.of('connack')[0]?.sessionPresent

test('a session ends exactly when it expires, and its memory is free', async () => {
  const { connect, clock, limits, router } = pureBroker()
  const first = await connect('c', lasting(60))
  await first.send(subscribe('t'))
  await first.vanish()
  const sender = await connect('sender')
  await sender.send(publish('t', 'x', { qos: 1, messageId: 1 }))
  assert.equal(limits.waiting, 1)
  clock.pass(59_999)
  const second = await connect('c', lasting(60))
  assert.equal(isPresent(second), true)
  assert.deepEqual(received(second), ['t x'])
  await second.vanish()
  clock.pass(60_000)
  assert.equal(isPresent(await connect('c', lasting(60))), false)
  assert.equal(limits.waiting, 0)
  assert.equal(router.isHeard('t'), false)
})

test('a session that never expires outlives the longest timer', async () => {
  const { connect, clock } = pureBroker()
  await (await connect('c', lasting(0xffff_ffff))).vanish()
  clock.pass(2 ** 40)
  assert.equal(isPresent(await connect('c', lasting(0))), true)
})

test('a will waits for its delay or the end of the session, whichever is first, and for no client that is back', async () => {
  const { connect, clock } = pureBroker()
  const watcher = await connect('watcher')
  await watcher.send(subscribe('will'))
  const count = () => received(watcher).length
  await (await connect('delay', { ...lasting(600), ...will(10) })).vanish()
  clock.pass(9_999)
  assert.equal(count(), 0)
  clock.pass(1)
  await watcher.send({ cmd: 'pingreq' })
  assert.equal(count(), 1)

  await (await connect('expiry', { ...lasting(5), ...will(10) })).vanish()
  clock.pass(5_000)
  await watcher.send({ cmd: 'pingreq' })
  assert.equal(count(), 2)

  await (await connect('back', { ...lasting(600), ...will(10) })).vanish()
  await connect('back', lasting(600))
  clock.pass(20_000)
  await watcher.send({ cmd: 'pingreq' })
  assert.equal(count(), 2)
})

test('lasting sessions are limited for each account; one that ends makes room', async () => {
  const { connect, clock } = pureBroker({ maxPerAccount: 2 })
  for (const clientId of ['a', 'b']) await (await connect(clientId, lasting(60))).vanish()
  const refused = await connect('c', lasting(60))
  assert.equal(refused.of('connack')[0]?.reasonCode, 0x97)
  assert.ok(refused.isClosed)
  assert.equal(isPresent(await connect('a', lasting(60))), true)
  await connect('d')
  clock.pass(60_000)
  assert.equal((await connect('c', lasting(60))).of('connack')[0]?.reasonCode, 0)
})

test('the queue of a session is bounded, and what is dropped is counted', async () => {
  const { connect, limits, full } = pureBroker()
  const client = await connect('c', lasting(60))
  await client.send(subscribe('t'))
  await client.vanish()
  const sender = await connect('sender')
  for (let id = 1; id <= 20; id++)
    await sender.send(publish('t', 'x'.repeat(9_600), { qos: 1, messageId: id }))
  assert.equal(limits.waiting, 10)
  assert.equal(limits.dropped, 10)
  assert.deepEqual(new Set(full), new Set(['c']))
  assert.equal(received(await connect('c', lasting(60))).length, 10)
})

test('a client that does not read costs itself: QoS 0 is dropped, QoS 1 waits, and it is disconnected', async () => {
  const { connect, clock, limits, look } = pureBroker()
  const deaf = await connect('deaf', lasting(60))
  await deaf.send(subscribe('zero', { qos: 0 }), subscribe('one'))
  deaf.stuckBytes = 2_000_000
  const sender = await connect('sender')
  await sender.send(publish('zero', 'x'), publish('one', 'x', { qos: 1, messageId: 1 }))
  assert.deepEqual([limits.dropped, limits.waiting], [1, 1])
  look()
  clock.pass(5_001)
  look()
  assert.ok(deaf.isClosed)
  assert.deepEqual(received(await connect('deaf', lasting(60))), ['one x'])
})

test('retained messages wait in the store while a new subscriber does not read', async () => {
  const { connect, limits } = pureBroker()
  const sender = await connect('sender')
  for (let n = 0; n < 300; n++) await sender.send(publish(`r/${n}`, 'x'.repeat(2_000), { retain: true }))
  const client = await connect('c')
  client.stuckBytes = 70_000
  await client.send(subscribe('r/+', { qos: 0 }))
  await sender.send(publish('r/299', 'newer', { retain: true }))
  assert.deepEqual([limits.dropped, limits.waiting], [0, 0])
  for (let turns = 0; turns < 100; turns++) await client.drain()
  const messages = received(client)
  assert.equal(messages.length, 301)
  assert.equal(
    messages.filter((each) => each === 'r/299 newer').length,
    2,
    'never an older one after a newer',
  )
})

test('the expiry of a message counts down while it waits, and then it is gone', async () => {
  const { connect, clock } = pureBroker()
  const client = await connect('c', lasting(600))
  await client.send(subscribe('t'))
  await client.vanish()
  const sender = await connect('sender')
  const message = (payload: string, messageExpiryInterval: number, messageId: number) =>
    publish('t', payload, { qos: 1, messageId, properties: { messageExpiryInterval } })
  await sender.send(message('short', 10, 1), message('long', 100, 2))
  clock.pass(30_500)
  const again = await connect('c', lasting(600))
  assert.deepEqual(received(again), ['t long'])
  assert.equal(again.of('publish')[0]?.properties?.messageExpiryInterval, 70)
})

test('a silent client is disconnected after one and a half keep-alives, and not while it is not read', async () => {
  const { connect, clock, look } = pureBroker()
  const client = await connect('c', { keepalive: 10 })
  clock.pass(15_000)
  look()
  assert.ok(!client.isClosed)
  clock.pass(1)
  look()
  assert.equal(client.of('disconnect')[0]?.reasonCode, 0x8d)
})

for (const asked of [0, 301, 65_535]) {
  test(`an MQTT 5 client that asks for a keep-alive of ${asked} s gets 300 s, and is held to it`, async () => {
    const { connect, clock, look } = pureBroker()
    const client = await connect('c', { keepalive: asked })
    assert.equal(client.of('connack')[0]?.properties?.serverKeepAlive, 300)
    clock.pass(450_000)
    look()
    assert.ok(!client.isClosed)
    clock.pass(1)
    look()
    assert.equal(client.of('disconnect')[0]?.reasonCode, 0x8d)
  })
}

test('a keep-alive of up to 300 s is the one that the client asked for, and CONNACK does not name it', async () => {
  const { connect } = pureBroker()
  const client = await connect('c', { keepalive: 300 })
  assert.equal(client.of('connack')[0]?.properties?.serverKeepAlive, undefined)
})

test('3.1.1 cannot be told another keep-alive, so its own holds, and 0 means none', async () => {
  const { connect, clock, look } = pureBroker()
  const [long, none] = [await connect('l', { keepalive: 3_600 }, 4), await connect('n', { keepalive: 0 }, 4)]
  clock.pass(3_600_000 * 1.5)
  look()
  assert.ok(!long.isClosed)
  clock.pass(1)
  look()
  assert.ok(long.isClosed)
  clock.pass(86_400_000)
  look()
  assert.ok(!none.isClosed)
})

test('a session belongs to its account: another one neither takes it over nor ends it', async () => {
  const { connect, refusals } = pureBroker()
  const first = await connect('c', { ...lasting(60), username: 'one' })
  await first.send(subscribe('t'))
  for (const options of [lasting(60), { clean: true }]) {
    const other = await connect('c', { ...options, username: 'two' })
    assert.equal(other.of('connack')[0]?.reasonCode, 0x85)
    assert.ok(other.isClosed)
  }
  assert.equal(first.isClosed, false)
  await first.vanish()
  assert.equal((await connect('c', { username: 'two' })).of('connack')[0]?.reasonCode, 0x85)
  assert.deepEqual(refusals, Array(3).fill('client id'))
  const sender = await connect('sender')
  await sender.send(publish('t', 'x', { qos: 1, messageId: 1 }))
  assert.deepEqual(received(await connect('c', { ...lasting(60), username: 'one' })), ['t x'])
})

test('the owner of a client id ends the session that another account has made with it, and gets none of it', async () => {
  const { connect, limits } = pureBroker({ maxPerAccount: 1 })
  const before = await connect('c', { ...lasting(60), username: 'one' })
  await before.send(subscribe('t'), publish('t', 'x', { qos: 1, messageId: 1 }))
  const owner = await connect('c', { ...lasting(60), username: 'owner' })
  assert.ok(before.isClosed)
  assert.equal(isPresent(owner), false)
  assert.deepEqual([received(owner), limits.waiting], [[], 0])
  assert.equal((await connect('d', { ...lasting(60), username: 'one' })).isClosed, false, 'its place is free')
  assert.ok(
    (await connect('e', { ...lasting(60), username: 'owner' })).isClosed,
    'and the owner has used its own',
  )
})

test('a client that is refused for its quota does not close the connection of the same client', async () => {
  const { connect } = pureBroker({ maxPerAccount: 1 })
  await connect('lasting', lasting(60))
  const first = await connect('c')
  assert.ok((await connect('c', lasting(60))).isClosed)
  assert.equal(first.isClosed, false)
})

test('a session that is ended under its connection leaves nothing, and ends no newer one', async () => {
  const { connect, sessions, clock } = pureBroker()
  const first = await connect('c', lasting(60))
  sessions.end('c')
  const next = await connect('c', lasting(600))
  assert.ok(first.isClosed)
  await next.vanish()
  clock.pass(120_000)
  assert.equal(isPresent(await connect('c', lasting(600))), true)
})

test('a session and a will with an interval above the longest timer, 24.8 days, are on time', async () => {
  const { connect, clock } = pureBroker()
  const days = 86_400
  const watcher = await connect('watcher')
  await watcher.send(subscribe('will'))
  await (await connect('c', { ...lasting(60 * days), ...will(55 * days) })).vanish()
  const passDays = (count: number) => clock.pass(count * days * 1_000)
  passDays(54)
  await watcher.send({ cmd: 'pingreq' })
  assert.equal(received(watcher).length, 0)
  passDays(1)
  await watcher.send({ cmd: 'pingreq' })
  assert.equal(received(watcher).length, 1)
  const again = await connect('c', lasting(60 * days))
  assert.equal(isPresent(again), true)
  await again.vanish()
  passDays(60)
  assert.equal(isPresent(await connect('c', lasting(60 * days))), false)
})

test('sessions that nobody empties stop no other account, and no connected client', async () => {
  const { connect, clock, limits } = pureBroker()
  const abandon = async (username: string, count: number) => {
    for (let n = 0; n < count; n++) {
      const client = await connect(`${username}-${n}`, { ...lasting(600), username })
      await client.send(subscribe(username))
      await client.vanish()
    }
  }
  const sender = await connect('sender')
  let messageId = 0
  const say = (topic: string, payload = 'x') =>
    sender.send(publish(topic, payload, { qos: 1, messageId: ++messageId }))
  const connected = await connect('connected', { username: 'one' })
  await connected.send(subscribe('live'))
  await abandon('one', 10)
  await abandon('two', 1)
  for (let n = 0; n < 20; n++) await say('one', 'x'.repeat(9_600))
  // 500,000 bytes of account one.
  const full = limits.waiting
  assert.ok(full > 40 && full < 60, `${full} are kept for account one`)
  await say('two')
  assert.equal(limits.waiting, full + 1)
  await say('live')
  assert.deepEqual(received(connected), ['live x'])

  await abandon('three', 10)
  for (let n = 0; n < 20; n++) await say('three', 'x'.repeat(9_600))
  const before = limits.waiting
  await say('two')
  assert.equal(limits.waiting, before, 'all together are at their limit')
  await say('live')
  await say('live', 'y'.repeat(70_000))
  assert.deepEqual(
    received(connected),
    ['live x', 'live x'],
    'above 64 KiB, it has its share of the limit only',
  )
  clock.pass(600_000)
  assert.equal(limits.waiting, 2)
})
