import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Message, NO_FORWARDED } from '../../src/broker/message.ts'
import { OutQueue, type Queued } from '../../src/broker/out-queue.ts'

const queued = (topic: string, qos: 1 | 2 = 1): Queued => {
  const terms = { qos, retain: false, from: null, forwarded: NO_FORWARDED, expiresAtMs: null }
  const message: Message = { topic, payload: 'x', ...terms }
  return { message, qos, retain: false, subscriptionIds: [], packetId: 0, isSent: false, isReleased: false }
}

/** What is sent next, as `topic id`, with `again` after a reconnect. */
function sent(queue: OutQueue, receiveMaximum = 100): readonly string[] {
  const all: string[] = []
  for (let next = queue.next(receiveMaximum); next !== null; next = queue.next(receiveMaximum)) {
    all.push(`${next.queued.message.topic} ${next.queued.packetId}${next.isAgain ? ' again' : ''}`)
  }
  return all
}

test('no more messages are in flight than the client allows', () => {
  const queue = new OutQueue()
  for (const topic of ['a', 'b', 'c', 'd']) queue.add(queued(topic))
  assert.deepEqual(sent(queue, 2), ['a 1', 'b 2'])
  assert.equal(queue.acknowledge(2), true)
  assert.deepEqual(sent(queue, 2), ['c 3'])
  assert.equal(queue.size, 3)
})

test('after a reconnect what was in flight comes first, with its identifiers, within the new maximum', () => {
  const queue = new OutQueue()
  for (const topic of ['a', 'b', 'c', 'd']) queue.add(queued(topic, 2))
  assert.deepEqual(sent(queue, 3), ['a 1', 'b 2', 'c 3'])
  queue.release(1)
  queue.rewind()
  assert.deepEqual(sent(queue, 1), ['a 1 again'])
  // An answer to a message that is not sent again yet opens no window.
  assert.equal(queue.acknowledge(3), true)
  assert.deepEqual(sent(queue, 1), [])
  assert.equal(queue.acknowledge(1), true)
  assert.deepEqual(sent(queue, 9), ['b 2 again', 'd 4'])
})

test('an unknown identifier changes nothing, and an identifier in use is not given again', () => {
  const queue = new OutQueue()
  assert.equal(queue.acknowledge(1), false)
  assert.equal(queue.release(1), false)
  queue.add(queued('kept'))
  assert.deepEqual(sent(queue), ['kept 1'])
  for (let n = 0; n < 70_000; n++) {
    queue.add(queued('t'))
    const next = queue.next(100)
    assert.notEqual(next?.queued.packetId, 1)
    queue.acknowledge(next?.queued.packetId ?? 0)
  }
  assert.equal(queue.size, 1)
  queue.acknowledge(1)
  assert.deepEqual([queue.size, queue.bytes, queue.hasWaiting], [0, 0, false])
})

test('a message counts for the identifiers of all subscriptions that match', () => {
  const [one, many] = [new OutQueue(), new OutQueue()]
  one.add(queued('t'))
  many.add({ ...queued('t'), subscriptionIds: Array(1_000).fill(1) })
  assert.equal(many.bytes - one.bytes, 8_000)
})
