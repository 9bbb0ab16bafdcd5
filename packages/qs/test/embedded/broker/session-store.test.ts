import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Aedes } from 'aedes'
import { PropertyCarrier } from '../../../src/embedded/broker/mqtt5/property-carrier.ts'
import type { QueuedPacket } from '../../../src/embedded/broker/session-queue.ts'
import { SessionStore, type SessionStoreOptions } from '../../../src/embedded/broker/session-store.ts'

interface Queues {
  outgoingEnqueueCombi(subscribers: readonly object[], packet: object): Promise<void>
  outgoingClearMessageId(session: { id: string }, packet: object): Promise<object | undefined>
}

async function storeOf(
  options: Pick<SessionStoreOptions, 'maxBytesOf' | 'maxBytes'> & Partial<SessionStoreOptions>,
) {
  const full: string[] = []
  const broker = await Aedes.createBroker()
  const store = new SessionStore({
    onFull: (id) => full.push(id),
    detached: (payload) => payload,
    ...options,
  })
  store.attach(broker)
  const queues = (broker as unknown as { persistence: Queues }).persistence
  const queued = (id: string): readonly QueuedPacket[] => store.queueOf(id)?.all() ?? []
  return { broker, store, queues, full, queued }
}

function message(brokerCounter: number, fields: Partial<QueuedPacket> = {}): QueuedPacket {
  return { brokerCounter, topic: 't', payload: Buffer.alloc(600), qos: 2, ...fields }
}

test('a session with a full queue gets no more messages, others do, and it continues when drained', async (t) => {
  const { broker, store, queues, full, queued } = await storeOf({
    maxBytesOf: () => 10_000,
    maxBytes: 1_000_000,
  })
  t.after(() => broker.close())
  const publish = (brokerCounter: number, ...ids: readonly string[]) =>
    queues.outgoingEnqueueCombi(
      ids.map((clientId) => ({ clientId, qos: 1 })),
      message(brokerCounter),
    )

  for (let counter = 1; counter <= 20; counter++) await publish(counter, 'away')
  assert.equal(queued('away').length, 10)
  assert.deepEqual(new Set(full), new Set(['away']))
  assert.equal(store.dropped, 10)
  await publish(21, 'away', 'other')
  assert.deepEqual([queued('away').length, queued('other').length], [10, 1])

  const queue = store.queueOf('away')
  for (let packet = queue?.next(); packet !== undefined; packet = queue?.next())
    await queues.outgoingClearMessageId({ id: 'away' }, packet)
  await publish(22, 'away')
  assert.equal(queued('away').length, 1)
})

test('all sessions together are limited, except one with a larger limit', async (t) => {
  const { broker, queues, queued } = await storeOf({
    maxBytesOf: (id) => (id === 'ours' ? 50_000 : 10_000),
    maxBytes: 20_000,
  })
  t.after(() => broker.close())
  for (let counter = 1; counter <= 40; counter++)
    await queues.outgoingEnqueueCombi(
      ['a', 'b', 'c', 'ours'].map((clientId) => ({ clientId, qos: 1 })),
      message(counter),
    )
  const others = ['a', 'b', 'c'].map((id) => queued(id).length).reduce((sum, count) => sum + count, 0)
  assert.ok(others >= 10 && others <= 21, `${others} messages of 1,001 bytes`)
  assert.equal(queued('ours').length, 40)
})

test('messages kept for long do not keep their read buffer in memory', async (t) => {
  const read = Buffer.alloc(64 * 1024, 'x')
  const carrier = new PropertyCarrier()
  const detached = (payload: Buffer) => carrier.detached(payload)
  const { broker, queues, queued } = await storeOf({
    maxBytesOf: (id) => (id === 'ours' ? 1_000_000 : 10_000),
    maxBytes: 1_000_000,
    detached,
  })
  t.after(() => broker.close())
  for (let counter = 1; counter <= 1_000; counter++) {
    const payload = read.subarray(counter, counter + 7)
    carrier.set(payload, { forwarded: Buffer.from('properties'), expirySeconds: null })
    await queues.outgoingEnqueueCombi(
      ['ours', 'device'].map((clientId) => ({ clientId, qos: 1 })),
      message(counter, { payload }),
    )
  }
  const pinned = (id: string) =>
    queued(id).filter(({ payload }) => (payload as Buffer).buffer.byteLength > 1_000).length
  assert.equal(pinned('device'), 0)
  assert.ok(queued('ours').length === 1_000 && pinned('ours') < 700, `${pinned('ours')} whole reads`)
  for (const { payload } of [...queued('device'), ...queued('ours')]) {
    assert.equal(String(payload), 'xxxxxxx')
    assert.equal(String(carrier.of(payload as Buffer)), 'properties')
  }
})

test('overlapping subscriptions get one message, with the highest QoS among them', async (t) => {
  const { broker, queues, queued } = await storeOf({ maxBytesOf: () => 100_000, maxBytes: 1_000_000 })
  t.after(() => broker.close())
  const subscribers = [
    { clientId: 'two', qos: 1 },
    { clientId: 'two', qos: 2 },
    { clientId: 'one', qos: 1, rap: true },
    { clientId: 'own', qos: 1, nl: true },
  ]
  await queues.outgoingEnqueueCombi(subscribers, message(1, { retain: true, clientId: 'own' }))
  await queues.outgoingEnqueueCombi(subscribers, message(2, { qos: 1 }))
  const seen = (id: string) => queued(id).map(({ qos, retain }) => [qos, retain])
  assert.deepEqual(seen('two'), [
    [2, false],
    [1, false],
  ])
  assert.deepEqual(seen('one'), [
    [1, true],
    [1, false],
  ])
  assert.deepEqual(seen('own'), [[1, false]])
})
