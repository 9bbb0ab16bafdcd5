import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicMatches } from '@qs-telemetry/protocol'
import { until } from '@qs-telemetry/testing/until.ts'
import { type Message, NO_FORWARDED } from '../../src/broker/message.ts'
import { RetainedStore } from '../../src/broker/retained-store.ts'
import { publish, pureBroker, received, subscribe } from './pure-broker.ts'

const message = (topic: string, payload: string | Buffer, forwarded = NO_FORWARDED): Message => ({
  ...{ topic, payload, qos: 0, retain: true, forwarded, expiresAtMs: null, from: null },
})
const topics = (store: RetainedStore, filter = '#') =>
  [...store.matching(filter, () => 0)].flatMap((found) => found?.topic ?? [])

test('the number of retained messages is bounded; one may be replaced, and one that is removed makes room', () => {
  const store = new RetainedStore(2)
  for (const topic of ['a', 'b', 'c']) store.put(message(topic, 'x'))
  assert.deepEqual(topics(store), ['a', 'b'])
  assert.equal(store.hasRoom(message('a', 'y')), true)
  assert.equal(store.hasRoom(message('c', 'x')), false)
  store.put(message('a', ''))
  store.put(message('c', 'x'))
  assert.deepEqual(topics(store), ['b', 'c'])
})

test('the bytes of retained messages are bounded, their properties included', () => {
  const store = new RetainedStore()
  const large = Buffer.alloc(1024 * 1024)
  for (let n = 0; n < 100; n++) store.put(message(`t${n}`, 'x', large))
  assert.ok(store.size >= 60 && store.size < 64, `${store.size} messages of 1 MiB fit into 64 MiB`)
  for (let n = 0; n < 100; n++) store.put(message(`t${n}`, ''))
  assert.equal(store.hasRoom(message('again', large)), true)
})

test('a retained message without room gets "quota exceeded", and one without the flag passes', async () => {
  const { connect, router, refusals } = pureBroker()
  const client = await connect('c')
  const large = 'x'.repeat(900_000)
  const sent = 80
  for (let id = 1; id <= sent; id++)
    await client.send(publish(`t/${id}`, large, { qos: 1, messageId: id, retain: true }))
  await client.send(publish('t/live', large, { qos: 1, messageId: sent + 1 }))
  const codes = client.of('puback').map(({ reasonCode }) => reasonCode ?? 0)
  const refused = codes.filter((code) => code === 0x97).length
  assert.equal(refused, sent - router.retained.size)
  assert.ok(refused > 0 && refused < 10, `${refused} are refused`)
  assert.equal(codes.at(-1), 0)
  assert.deepEqual(refusals, Array(refused).fill('retained'))
})

test('a will without room for it is delivered, not retained, and reported', async () => {
  const { connect, router, unretained } = pureBroker()
  const large = Buffer.alloc(60_000)
  for (let n = 0; n < 1_200; n++) router.publish(message(`t/${n}`, large))
  const before = unretained.length
  assert.equal(router.retained.size, 1_200 - before)
  assert.ok(before > 0 && before < 120, `${before} are not retained`)
  const watcher = await connect('watcher')
  await watcher.send(subscribe('will'))
  const will = { topic: 'will', payload: large, qos: 1, retain: true } as const
  await (await connect('c', { will })).vanish()
  assert.equal(watcher.of('publish').length, 1)
  assert.deepEqual(unretained.slice(before), ['will'])
})

test('a look-up finds what matching each topic with the filter finds', () => {
  const store = new RetainedStore()
  const level = () => ['a', 'b', '', '$x'][Math.floor(Math.random() * 4)] as string
  const path = (of: () => string) => Array.from({ length: 1 + Math.floor(Math.random() * 4) }, of).join('/')
  const all = new Set<string>()
  for (let n = 0; n < 200; n++) {
    const topic = path(level)
    if (topic === '') continue
    const isRemoved = Math.random() < 0.3
    store.put(message(topic, isRemoved ? '' : 'x'))
    if (isRemoved) all.delete(topic)
    else all.add(topic)
  }
  assert.equal(store.size, all.size)
  for (let n = 0; n < 500; n++) {
    const end = Math.random() < 0.4 ? '/#' : ''
    const filter = n === 0 ? '#' : path(() => (Math.random() < 0.4 ? '+' : level())) + end
    const matching = [...all].filter((topic) => topicMatches(filter, topic))
    assert.deepEqual(topics(store, filter).toSorted(), matching.toSorted(), filter)
  }
  for (const topic of all) store.put(message(topic, ''))
  assert.deepEqual(
    [store.size, [...store.matching('#', () => 0)].length],
    [0, 1],
    'nothing but the root is left',
  )
})

test('long look-ups leave room for others in each turn of the event loop, and finish', async () => {
  const { connect, router } = pureBroker()
  for (let n = 0; n < 50_000; n++) router.publish(message(`t/${n}`, 'x'))
  const { retained } = router
  const matching = retained.matching.bind(retained)
  let steps = 0
  retained.matching = function* (filter, nowMs) {
    for (const found of matching(filter, nowMs)) {
      steps++
      yield found
    }
  }
  const client = await connect('c')
  const other = await connect('other')
  const asked = client.send(...Array.from({ length: 100 }, (_, n) => subscribe(`+/+/${n}`)), subscribe('#'))
  const sent = other.send(subscribe('t/+'))
  assert.ok(steps <= 5_000, `${steps} steps in one turn`)
  await Promise.all([asked, sent])
  await until(() => received(client).length + received(other).length === 100_000, 'all messages')
})

test('a subscription that is repeated before its look-up ends begins it again, and adds none', async () => {
  const { connect, router } = pureBroker()
  for (let n = 0; n < 50_000; n++) router.publish(message(`t/${n}`, 'x'))
  const client = await connect('c')
  await client.send(...Array.from({ length: 100 }, () => subscribe('t/#')))
  await client.send(subscribe('end'))
  router.publish(message('end', 'x'))
  await until(() => new Set(received(client)).size === 50_001, 'all messages')
  assert.ok(received(client).length < 200_000, `${received(client).length} instead of 5,000,000`)
})
