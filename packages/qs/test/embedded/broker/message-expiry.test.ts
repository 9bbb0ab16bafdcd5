import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PropertyCarrier } from '../../../src/embedded/broker/mqtt5/property-carrier.ts'
import { publishProperties } from '../../../src/embedded/broker/mqtt5/publish-properties.ts'
import { Mqtt5Fault } from '../../../src/embedded/broker/mqtt5/reason-codes.ts'
import { SessionQueue } from '../../../src/embedded/broker/session-queue.ts'

const expiry = (seconds: number) => Buffer.of(0x02, 0, 0, seconds >> 8, seconds & 0xff)
const contentType = Buffer.from('\x03\x00\x01x')

function carried(properties: Buffer) {
  let nowMs = 1_000
  const carrier = new PropertyCarrier(() => nowMs)
  const payload = Buffer.from('x')
  carrier.set(payload, publishProperties(properties) ?? assert.fail('no properties'))
  const after = (seconds: number) => {
    nowMs = 1_000 + seconds * 1_000
    return { has: carrier.of(payload), hasExpired: carrier.hasExpired(payload) }
  }
  return { carrier, after }
}

test('the expiry interval counts down, and the other properties stay', () => {
  const { after } = carried(Buffer.concat([contentType, expiry(600)]))
  const left = (seconds: number) => Buffer.concat([expiry(seconds), contentType])
  assert.deepEqual(after(0), { has: left(600), hasExpired: false })
  assert.deepEqual(after(2), { has: left(598), hasExpired: false })
  assert.deepEqual(after(599.999), { has: left(1), hasExpired: false })
  assert.deepEqual(after(600), { has: left(0), hasExpired: true })
  // A message already in flight is sent again.
  assert.deepEqual(after(10_000), { has: left(0), hasExpired: true })
})

test('a message without the property does not expire', () => {
  const { carrier, after } = carried(contentType)
  assert.deepEqual(after(1e9), { has: contentType, hasExpired: false })
  assert.equal(carrier.hasExpired(Buffer.from('another')), false)
})

test('a repeated or truncated expiry interval is a client error', () => {
  assert.throws(() => publishProperties(Buffer.concat([expiry(1), expiry(2)])), Mqtt5Fault)
  assert.throws(() => publishProperties(expiry(1).subarray(0, 4)), Mqtt5Fault)
})

test('a queue sends no more messages than its client accepts, so the rest can still expire', () => {
  const queue = new SessionQueue()
  for (const topic of ['a', 'b', 'c']) queue.add({ topic, qos: 1 })
  const first = queue.next(2)
  assert.deepEqual([first?.topic, queue.next(2)?.topic, queue.next(2)], ['a', 'b', undefined])
  queue.take(first?.messageId ?? 0)
  assert.equal(queue.next(2)?.topic, 'c')
})
