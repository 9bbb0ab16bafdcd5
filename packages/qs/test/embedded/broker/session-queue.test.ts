import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type QueuedPacket, SessionQueue } from '../../../src/embedded/broker/session-queue.ts'

function message(brokerCounter: number): QueuedPacket {
  return { brokerCounter, topic: 't', payload: Buffer.alloc(10) }
}

function counters(queue: SessionQueue): readonly (number | undefined)[] {
  return queue.all().map((packet) => packet.brokerCounter)
}

test('it holds unacknowledged messages in order, regardless of the order of the PUBACKs', () => {
  const steps = fc.array(
    fc.oneof({ weight: 3, arbitrary: fc.constant('add' as const) }, fc.nat(40), {
      weight: 1,
      arbitrary: fc.constant('reconnect' as const),
    }),
    { maxLength: 3_000 },
  )
  const check = (actions: readonly ('add' | 'reconnect' | number)[]) => {
    const queue = new SessionQueue()
    const expected: { readonly counter: number; readonly id: number }[] = []
    let counter = 0
    for (const action of actions) {
      if (action === 'add') {
        queue.add(message(++counter))
        const sent = queue.next()
        assert.equal(sent?.brokerCounter, counter)
        expected.push({ counter, id: sent?.messageId ?? 0 })
      } else if (action === 'reconnect') {
        queue.rewind()
        for (const { counter: oldCounter, id } of expected) {
          const again = queue.next()
          assert.deepEqual([again?.brokerCounter, again?.messageId, again?.dup], [oldCounter, id, true])
        }
        assert.equal(queue.next(), undefined)
      } else {
        const [acknowledged] = expected.splice(action, 1)
        assert.equal(queue.take(acknowledged?.id ?? 65_535)?.brokerCounter, acknowledged?.counter)
      }
    }
    assert.deepEqual(
      counters(queue),
      expected.map((each) => each.counter),
    )
    assert.equal(queue.messages, expected.length)
    assert.equal(queue.bytes > 0, expected.length > 0)
  }
  fc.assert(fc.property(steps, check), { numRuns: 100 })
})

test('a packet identifier is never used twice at a time, and the queue waits for a PUBACK when too many are in use', () => {
  const queue = new SessionQueue()
  for (let counter = 1; counter <= 70_000; counter++) queue.add(message(counter))
  const ids = new Set<number>()
  for (let packet = queue.next(); packet !== undefined; packet = queue.next()) ids.add(packet.messageId ?? 0)
  assert.equal(ids.size, 60_000)
  for (const id of [...ids].slice(0, 50_000)) queue.take(id)
  const inUse = new Set([...ids].slice(50_000))
  for (let packet = queue.next(); packet !== undefined; packet = queue.next()) {
    assert.ok(!inUse.has(packet.messageId ?? 0))
    inUse.add(packet.messageId ?? 0)
  }
  assert.equal(inUse.size, 20_000)
})

test('a PUBREL replaces its message, and is resent in its place', () => {
  const [queue, only] = [new SessionQueue(), new SessionQueue()]
  only.add(message(2))
  for (const counter of [1, 2]) queue.add(message(counter))
  const first = queue.next()?.messageId ?? 0
  queue.release(first)
  queue.rewind()
  assert.deepEqual(queue.next(), { cmd: 'pubrel', messageId: first })
  queue.take(first)
  assert.equal(queue.bytes, only.bytes)
  assert.deepEqual(queue.all(), [{ ...message(2), messageId: undefined, dup: false }])
})

test('it counts its bytes by topic, and forgets a topic without queued messages', () => {
  const queue = new SessionQueue()
  const add = (topic: string, bytes: number) => {
    queue.add({ topic, payload: Buffer.alloc(bytes) })
    return queue.next()?.messageId ?? 0
  }
  const ids = [add('a', 1_000), add('b', 10), add('a', 1_000)]
  assert.ok(queue.bytesOn('a') > 2_000)
  assert.equal(queue.bytesOn('a') + queue.bytesOn('b'), queue.bytes)
  for (const id of ids) queue.take(id)
  assert.deepEqual([queue.bytesOn('a'), queue.bytesOn('b'), queue.bytes], [0, 0, 0])
})
