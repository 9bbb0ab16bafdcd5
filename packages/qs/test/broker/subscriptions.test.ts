import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lasting, publish, pureBroker, received, subscribe } from './pure-broker.ts'

test('a shared subscription gives each message to one member, in turn, and gets no retained ones', async () => {
  const { connect } = pureBroker()
  const [a, b, all, sender] = [
    await connect('a'),
    await connect('b'),
    await connect('all'),
    await connect('sender'),
  ]
  await sender.send(publish('t/0', 'retained', { retain: true }))
  for (const member of [a, b]) await member.send(subscribe('$share/g/t/+', { qos: 0 }))
  await all.send(subscribe('t/#', { qos: 0 }))
  for (let n = 1; n <= 6; n++) await sender.send(publish(`t/${n}`, 'x'))
  assert.equal(received(a).length, 3)
  assert.equal(received(b).length, 3)
  assert.equal(received(all).length, 7)
  await a.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['$share/g/t/+'] })
  assert.deepEqual(a.of('unsuback')[0]?.granted, [0])
  await sender.send(publish('t/7', 'x'), publish('t/8', 'x'))
  assert.equal(received(b).length, 5)
})

test('a member that is away gets nothing while another is there; without one, its session keeps messages', async () => {
  const { connect } = pureBroker()
  const away = await connect('away', lasting(60))
  const there = await connect('there')
  const sender = await connect('sender')
  for (const member of [away, there]) await member.send(subscribe('$share/g/t'))
  await away.vanish()
  for (let id = 1; id <= 4; id++) await sender.send(publish('t', `${id}`, { qos: 1, messageId: id }))
  assert.equal(received(there).length, 4)
  // What it has not acknowledged would go to the other member.
  for (const { messageId = 0 } of there.of('publish')) await there.send({ cmd: 'puback', messageId })
  await there.vanish()
  await sender.send(publish('t', 'kept', { qos: 1, messageId: 5 }))
  assert.deepEqual(received(await connect('away', lasting(60))), ['t kept'])
})

test('a message that matches several subscriptions of a session arrives once, with all identifiers', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  const sender = await connect('sender')
  await client.send(
    subscribe('a/+', { qos: 0 }, { subscriptionIdentifier: 7 }),
    subscribe('a/#', { qos: 1 }, { subscriptionIdentifier: 300 }),
    subscribe('a/b', { qos: 0 }),
  )
  await sender.send(publish('a/b', 'x', { qos: 2, messageId: 1 }))
  const [only, ...more] = client.of('publish')
  assert.deepEqual(more, [])
  assert.equal(only?.qos, 1)
  assert.deepEqual([only?.properties?.subscriptionIdentifier].flat().toSorted(), [300, 7])
})

test('"no local" in a shared subscription ends the connection', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  await client.send(subscribe('$share/g/t', { nl: true }))
  assert.equal(client.of('disconnect')[0]?.reasonCode, 0x82)
})

test('a topic alias stands for its topic until it is set anew, on one connection only', async () => {
  const { connect } = pureBroker()
  const [client, sender] = [await connect('c'), await connect('sender')]
  await client.send(subscribe('#', { qos: 0 }))
  const alias = (topic: string, payload: string, topicAlias: number) =>
    publish(topic, payload, { properties: { topicAlias } })
  await sender.send(alias('a', '1', 1), alias('', '2', 1), alias('b', '3', 1), alias('', '4', 1))
  assert.deepEqual(received(client), ['a 1', 'a 2', 'b 3', 'b 4'])
  assert.ok(client.of('publish').every(({ properties }) => properties?.topicAlias === undefined))
  const other = await connect('other')
  await other.send(alias('', '5', 1))
  assert.equal(other.of('disconnect')[0]?.reasonCode, 0x82)
})

test('a shared subscription passes over a member that may not receive the message, does not read or has a full queue', async () => {
  const { connect, limits, full } = pureBroker({ mayReceive: (clientId) => clientId !== 'barred' })
  for (const clientId of ['barred', 'deaf', 'full'] as const) {
    const member = await connect(clientId, lasting(60))
    await member.send(subscribe('$share/g/t', { qos: clientId === 'deaf' ? 0 : 1 }), subscribe(clientId))
    if (clientId === 'deaf') member.stuckBytes = 2_000_000
    if (clientId === 'full') await member.vanish()
  }
  const sender = await connect('sender')
  for (let messageId = 1; messageId <= 20; messageId++)
    await sender.send(publish('full', 'x'.repeat(9_600), { qos: 1, messageId }))
  const before = { dropped: limits.dropped, full: full.length }
  const taker = await connect('taker')
  await taker.send(subscribe('$share/g/t'))
  for (let messageId = 1; messageId <= 20; messageId++)
    await sender.send(publish('t', String(messageId), { qos: 1, messageId }))
  assert.equal(received(taker).length, 20)
  assert.deepEqual({ dropped: limits.dropped, full: full.length }, before)
})

test('a message too large for one member of a shared subscription goes to another, or counts as sent [MQTT-3.1.2-25]', async () => {
  for (const qos of [0, 1, 2] as const) {
    const { connect, limits } = pureBroker()
    const small = await connect('small', { properties: { maximumPacketSize: 100 } })
    const large = await connect('large')
    const sender = await connect('sender')
    for (const member of [small, large]) await member.send(subscribe('$share/g/t', { qos }))
    const send = async (length: number) => {
      for (let messageId = 1; messageId <= 4; messageId++)
        await sender.send(publish('t', 'x'.repeat(length), { qos, ...(qos > 0 && { messageId }) }))
    }
    await send(10)
    assert.deepEqual([received(small).length, received(large).length], [2, 2], `QoS ${qos}, small`)
    await send(200)
    assert.deepEqual([received(small).length, received(large).length], [2, 6], `QoS ${qos}, large`)
    await large.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['$share/g/t'] })
    const { waiting } = limits
    await send(200)
    assert.equal(received(small).length, 2)
    assert.equal(limits.waiting, waiting, `QoS ${qos}: what nobody can take is not kept`)
  }
})

test('a kept message that its member accepts no longer when it returns goes to another member', async () => {
  const { connect, limits } = pureBroker()
  const [first, sender] = [await connect('first', lasting(60)), await connect('sender')]
  await first.send(subscribe('$share/g/t', { qos: 2 }))
  await first.vanish()
  for (let messageId = 1; messageId <= 3; messageId++)
    await sender.send(publish('t', `${messageId}`.repeat(200), { qos: messageId === 1 ? 1 : 2, messageId }))
  const other = await connect('other')
  await other.send(subscribe('$share/g/t', { qos: 2 }))
  const returned = await connect('first', lasting(60, { maximumPacketSize: 100 }))
  assert.deepEqual(received(returned), [])
  assert.deepEqual(
    received(other).map((text) => text.slice(0, 3)),
    ['t 1', 't 2', 't 3'],
  )
  assert.equal(limits.waiting, 3)
})

test('a session has at most 10,000 subscriptions; a known one may be repeated, and one that ends makes room', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  const ask = async (from: number, to: number) => {
    const subscriptions = Array.from({ length: to - from }, (_, n) => ({
      topic: `t/${from + n}`,
      qos: 0 as const,
    }))
    await client.send({ cmd: 'subscribe', messageId: 1, subscriptions })
    return client.of('suback').at(-1)?.granted
  }
  for (let from = 0; from < 10_000; from += 100)
    assert.deepEqual(await ask(from, from + 100), new Array(100).fill(0))
  assert.deepEqual(await ask(10_000, 10_001), [0x97])
  assert.deepEqual(await ask(7, 8), [0])
  await client.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['t/7'] })
  assert.deepEqual(await ask(10_000, 10_001), [0])
})
