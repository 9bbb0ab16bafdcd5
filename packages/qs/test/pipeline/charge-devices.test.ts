import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import { decodeMessage } from '../../src/decode/decode-message.ts'
import { arrivalCharge, chargeDevices } from '../../src/pipeline/charge-devices.ts'
import { DeviceBudgets } from '../../src/pipeline/device-budgets.ts'
import type { Outcome } from '../../src/pipeline/message.ts'

const OPTIONS = {
  topic: new EventTopic('qs/v1/+/events'),
  limits: DEFAULT_LIMITS,
  clockTrust: { maxPastMs: 1e12, maxFutureMs: 1e12 },
  timeZoneOf: () => 'UTC',
}

/** For how many milliseconds the device is slowed afterwards. */
function debtAfter(payload: string, areArrivalsCharged = true): number {
  const budgets = new DeviceBudgets({ messages: 1, bytes: 1_000, events: 100, rejections: 20 })
  const message = decodeMessage(
    {
      topic: 'qs/v1/d/events',
      payload: Buffer.from(payload),
      redelivered: false,
      receivedAt: { epochMs: Date.parse('2026-11-23T18:00:00Z'), micros: 123 },
      settle: () => {},
    },
    OPTIONS,
  )
  const outcomes = message.elements.map(
    (element): Outcome => (element.kind === 'event' ? { kind: 'stored', tsServer: '' } : element),
  )
  chargeDevices([message], [outcomes], { budgets, areArrivalsCharged, nowMs: 0 })
  return budgets.charge('d', {}, 0)
}

const EVENT = '{"schema":1,"event_id":"e","device_id":"d","event_type":"t"}'
const REFUSED = '{"schema":1,"event_id":"e","device_id":"other","event_type":"t"}'
const array = (count: number, element: string) => `[${new Array(count).fill(element).join(',')}]`

test('each element of an array is charged, as an event or a rejection', () => {
  assert.equal(debtAfter(array(100, EVENT)), 0)
  assert.equal(debtAfter(array(150, EVENT)), 500)
  assert.equal(debtAfter(array(30, REFUSED)), 500)
})

test('an array rejected as a whole with one device ack is charged for all of its elements', () => {
  assert.equal(debtAfter(array(20, '0')), 0)
  assert.equal(debtAfter(array(30, '0')), 500)
})

test('messages and bytes are charged here if the broker has not charged them', () => {
  assert.equal(debtAfter(array(20, EVENT), false), array(20, EVENT).length - 1_000)
})

test('a client pays for messages other than events, never with the budget of a device whose name it uses', () => {
  const budgets = new DeviceBudgets({ messages: 10, bytes: 1_000, events: 100, rejections: 20 })
  const charge = arrivalCharge(budgets, (topic) => OPTIONS.topic.deviceIdOf(topic))
  for (const topic of ['other', null])
    for (let n = 0; n < 10; n++) charge('d', topic, { messages: 1, bytes: 100 })
  assert.ok(charge('d', null, { messages: 1, bytes: 0 }) > 0)
  assert.equal(charge('gateway', 'qs/v1/d/events', { messages: 1, bytes: 100 }), 0)
})
