import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { publish, pureBroker, received, subscribe } from './pure-broker.ts'

test('a client that sends requests without reading the answers is not read either', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  // Messages that it does not read either; the limit is 2 MiB.
  client.stuckBytes = 2 * 1024 * 1024 - 50_000
  const subscriptions = Array.from({ length: 1_000 }, () => ({ topic: '#/', qos: 0 }) as const)
  let asked = 0
  for (; !client.isPaused && asked < 1_000; asked++) {
    await client.send({ cmd: 'subscribe', messageId: asked + 1, subscriptions })
  }
  // 50,000 bytes of answers of 1,000 bytes.
  assert.ok(asked > 45 && asked < 55, `${asked} requests are read`)
  await client.drain()
  assert.equal(client.isPaused, false)
  assert.equal(client.of('suback').length, asked)
})

test('what is known about a topic changes with the subscriptions', async () => {
  const { connect } = pureBroker()
  const publisher = await connect('publisher')
  const watcher = await connect('watcher')
  await publisher.send(publish('t', 'early'))
  await watcher.send(subscribe('#'))
  await publisher.send(publish('t', 'heard'))
  await watcher.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['#'] })
  await publisher.send(publish('t', 'late'))
  const guest = await connect('guest')
  await guest.send(subscribe('t'))
  await publisher.send(publish('t', 'again'))
  await guest.vanish()
  await publisher.send(publish('t', 'to nobody'))
  assert.deepEqual([received(watcher), received(guest)], [['t heard'], ['t again']])
})

test('a gateway that publishes to many topics in turn reaches the subscribers of each', async () => {
  const { connect } = pureBroker()
  const gateway = await connect('gateway')
  const all = Array.from({ length: 1_500 }, (_, n) => publish(`t/${n}`, String(n)))
  await gateway.send(...all)
  const watcher = await connect('watcher')
  await watcher.send(subscribe('t/7'), subscribe('t/1400'))
  await gateway.send(...all, ...all)
  assert.deepEqual(received(watcher), ['t/7 7', 't/1400 1400', 't/7 7', 't/1400 1400'])
})

test('a topic alias is for topics of up to 1,024 characters', async () => {
  const { connect } = pureBroker()
  const client = await connect('c')
  await client.send(publish('t'.repeat(1_024), '', { properties: { topicAlias: 1 } }))
  assert.equal(client.isClosed, false)
  await client.send(publish('t'.repeat(1_025), '', { properties: { topicAlias: 2 } }))
  assert.equal(client.isClosed, true)
  assert.equal(client.of('disconnect').at(-1)?.reasonCode, 0x97)
})

test('a connection remembers no long topics', async () => {
  const { connect } = pureBroker()
  const client = await connect('c', {}, 4)
  setFlagsFromString('--expose_gc')
  const gc = runInNewContext('gc') as () => void
  const heapMb = () => {
    gc()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  const before = heapMb()
  for (let n = 0; n < 500; n++) await client.send(publish(`${n}-${'x'.repeat(60_000)}`, ''))
  assert.ok(heapMb() - before < 10, `${heapMb() - before} MB`)
})
