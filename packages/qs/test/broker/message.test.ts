import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detached, type Message } from '../../src/broker/message.ts'
import { Router } from '../../src/broker/router.ts'
import type { Session } from '../../src/broker/session.ts'
import { lasting, publish, pureBroker, subscribe } from './pure-broker.ts'

const message = (payload: Buffer, forwarded: Buffer): Message => ({
  ...{ topic: 't', payload, qos: 1, retain: false, forwarded, expiresAtMs: null, from: null },
})
const memoryOf = ({ payload, forwarded }: Message) =>
  (payload as Buffer).buffer.byteLength + forwarded.buffer.byteLength

test('a message that is kept holds its own bytes in memory and no others', () => {
  const read = Buffer.alloc(65_536)
  const kept = detached(message(read.subarray(10, 11), read.subarray(20, 25)))
  assert.equal(memoryOf(kept), 6)
  assert.equal(detached(kept), kept)
})

test('the queues of all subscribers keep the same copy', () => {
  const got: Message[] = []
  const router = new Router(() => {})
  for (const clientId of ['a', 'b']) {
    const deliver = (each: Message) => got.push(each)
    const session = { clientId, subscriptions: new Map(), deliver } as unknown as Session
    const terms = { group: null, noLocal: false, retainAsPublished: false, identifier: null }
    router.subscribe('t', { session, filter: 't', qos: 1, ...terms })
  }
  router.publish(message(Buffer.alloc(65_536).subarray(0, 1), Buffer.alloc(0)))
  assert.equal(got.length, 2)
  assert.equal(got[0]?.payload, got[1]?.payload)
  assert.equal(memoryOf(got[0] as Message), 1)
})

test('a queued message counts for its user properties', async () => {
  const { connect, limits } = pureBroker()
  const client = await connect('c', lasting(60))
  await client.send(subscribe('t'))
  await client.vanish()
  const sender = await connect('sender')
  const userProperties = { name: 'x'.repeat(60_000) }
  for (let messageId = 1; messageId <= 20; messageId++)
    await sender.send(publish('t', '', { qos: 1, messageId, properties: { userProperties } }))
  assert.equal(limits.waiting, 2)
})
