import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type QueuedPacket, SessionQueue } from '../../src/broker/session-queue.ts'

function message(brokerCounter: number): QueuedPacket {
  return { brokerCounter, topic: 't', payload: Buffer.alloc(10) }
}

test('it holds what was added and not acknowledged, in order, whatever the order of the PUBACKs', () => {
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('add') }, fc.nat(40)), {
    maxLength: 3_000,
  })
  const check = (actions: readonly ('add' | number)[]) => {
    const queue = new SessionQueue()
    const expected: number[] = []
    let counter = 0
    for (const action of actions) {
      if (action === 'add') {
        queue.add(message(++counter))
        queue.update({ ...message(counter), messageId: counter })
        expected.push(counter)
      } else {
        const [acknowledged] = expected.splice(action, 1)
        assert.equal(queue.take(acknowledged ?? 65_000)?.brokerCounter, acknowledged)
      }
    }
    const left = queue.all().map((packet) => packet.brokerCounter)
    assert.deepEqual(left, expected)
    assert.equal(queue.bytes > 0, expected.length > 0)
  }
  fc.assert(fc.property(steps, check), { numRuns: 100 })
})

test('a packet identifier in use twice acknowledges the older message first', () => {
  const queue = new SessionQueue()
  for (const counter of [1, 2]) {
    queue.add(message(counter))
    queue.update({ brokerCounter: counter, messageId: 7 })
  }
  assert.equal(queue.take(7)?.brokerCounter, 1)
  assert.equal(queue.take(7)?.brokerCounter, 2)
  assert.equal(queue.take(7), undefined)
})

test('a PUBREL takes the place of its message', () => {
  const [queue, only] = [new SessionQueue(), new SessionQueue()]
  only.add(message(2))
  queue.add(message(1))
  queue.add(message(2))
  queue.update({ brokerCounter: 1, messageId: 9 })
  queue.update({ messageId: 9, cmd: 'pubrel' } as QueuedPacket)
  assert.deepEqual(queue.all()[0], { cmd: 'pubrel', messageId: 9, brokerCounter: 1 })
  queue.take(9)
  assert.equal(queue.bytes, only.bytes)
  assert.deepEqual(queue.all(), [{ ...message(2), messageId: undefined }])
})

test('a message that matches two subscriptions is queued once', () => {
  const queue = new SessionQueue()
  queue.add(message(1))
  queue.add(message(1))
  assert.equal(queue.all().length, 1)
})
