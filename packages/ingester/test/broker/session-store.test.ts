import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { Aedes } from 'aedes'
import { SessionStore } from '../../src/broker/session-store.ts'

interface Queues {
  outgoingEnqueueCombi(subscribers: readonly { clientId: string }[], packet: object): Promise<void>
  outgoingUpdate(session: { id: string }, packet: object): Promise<void>
  outgoingClearMessageId(session: { id: string }, packet: object): Promise<object | undefined>
  outgoingStream(session: { id: string }): Readable
}

test('a session whose queue is full gets no more, others do, and it goes on when drained', async (t) => {
  const full: string[] = []
  const broker = await Aedes.createBroker()
  t.after(() => broker.close())
  new SessionStore({ maxBytesPerSession: 10_000, onFull: (id) => full.push(id) }).attach(broker)
  const queues = (broker as unknown as { persistence: Queues }).persistence
  const queued = async (id: string) => (await queues.outgoingStream({ id }).toArray()).length
  const publish = (brokerCounter: number, ...ids: readonly string[]) =>
    queues.outgoingEnqueueCombi(
      ids.map((clientId) => ({ clientId })),
      { brokerCounter, topic: 't', payload: Buffer.alloc(600) },
    )

  for (let counter = 1; counter <= 20; counter++) await publish(counter, 'away')
  const kept = await queued('away')
  assert.equal(kept, 10)
  assert.deepEqual(new Set(full), new Set(['away']))
  await publish(21, 'away', 'other')
  assert.deepEqual([await queued('away'), await queued('other')], [10, 1])

  for (let counter = 1; counter <= kept; counter++) {
    await queues.outgoingUpdate({ id: 'away' }, { brokerCounter: counter, messageId: counter })
    await queues.outgoingClearMessageId({ id: 'away' }, { messageId: counter })
  }
  await publish(22, 'away')
  assert.equal(await queued('away'), 1)
})
