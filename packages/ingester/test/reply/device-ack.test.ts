import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackFor } from '@qs-telemetry/protocol'
import { DeviceAckMessageSchema } from '@qs-telemetry/protocol/schemas'
import fc from 'fast-check'
import Value from 'typebox/value'
import type { Element, Message } from '../../src/pipeline/message.ts'
import type { Outcome } from '../../src/pipeline/outcome.ts'
import { rejection } from '../../src/pipeline/rejection.ts'
import { deviceAckPayloads } from '../../src/reply/device-ack.ts'
import { eventOf, messageOf } from './replying.ts'

const deviceAckJson = (message: Message, outcomes: readonly Outcome[]): string => {
  const [json, ...more] = deviceAckPayloads(message, outcomes, 2 ** 21)
  assert.deepEqual(more, [])
  return json as string
}

const STORED: Outcome = { kind: 'stored', tsServer: '2026-11-23T18:00:00.123456Z' }
const DUPLICATE: Outcome = { kind: 'duplicate', tsServer: '2026-11-23T17:00:00.000000Z' }

test('the ack of an object is the object of the contract, letter by letter', () => {
  assert.equal(
    deviceAckJson(messageOf([eventOf('test-001')], { shape: 'one' }), [STORED]),
    '{"event_id":"test-001","status":"stored","ts_server":"2026-11-23T18:00:00.123456Z"}',
  )
})

test('a duplicate tells when the event that is stored was taken in', () => {
  assert.equal(
    deviceAckJson(messageOf([eventOf('a')], { shape: 'one' }), [DUPLICATE]),
    '{"event_id":"a","status":"duplicate","ts_server":"2026-11-23T17:00:00.000000Z"}',
  )
})

test('a message that could not be read is one object without event id, and why', () => {
  const refused = rejection('EMPTY_ARRAY', '')
  assert.deepEqual(JSON.parse(deviceAckJson(messageOf([refused], { shape: 'one' }), [refused])), {
    event_id: null,
    status: 'rejected',
    error: {
      code: 'EMPTY_ARRAY',
      message: 'The array holds no event. Leave the message out when there is nothing to send.',
    },
  })
})

test('the ack of an array is an array in its order, also where it holds one', () => {
  assert.equal(
    deviceAckJson(messageOf([eventOf('a')]), [STORED]),
    '[{"event_id":"a","status":"stored","ts_server":"2026-11-23T18:00:00.123456Z"}]',
  )
  const refused = rejection('INVALID_VALUE', '', { eventId: 'b' })
  const acks = JSON.parse(
    deviceAckJson(messageOf([eventOf('a'), refused, eventOf('c')]), [STORED, refused, DUPLICATE]),
  ) as unknown[]
  assert.deepEqual(
    acks.map((ack) => Object.values(ack as object).slice(0, 2)),
    [
      ['a', 'stored'],
      ['b', 'rejected'],
      ['c', 'duplicate'],
    ],
  )
})

test('a conflict that the database found is rejected under the id of the event', () => {
  const conflict = rejection('EVENT_ID_CONFLICT', '', { eventId: 'a' })
  assert.deepEqual(JSON.parse(deviceAckJson(messageOf([eventOf('a')], { shape: 'one' }), [conflict])), {
    event_id: 'a',
    status: 'rejected',
    error: {
      code: 'EVENT_ID_CONFLICT',
      message: 'Another event is stored under this event_id. Ids are for ever: give each event its own.',
    },
  })
})

test('a device time that could not be read is a warning beside stored and duplicate', () => {
  const event = { ...eventOf('a'), warning: { code: 'TS_DEVICE_UNREADABLE', message: 'Stored "without" it' } }
  for (const outcome of [STORED, DUPLICATE]) {
    const ack = JSON.parse(deviceAckJson(messageOf([event], { shape: 'one' }), [outcome])) as Record<
      string,
      unknown
    >
    assert.deepEqual(ack.warning, { code: 'TS_DEVICE_UNREADABLE', message: 'Stored "without" it' })
  }
})

test('every ack is what the published schema says and what a device reads', () => {
  const id = fc.string({ unit: 'grapheme', minLength: 1 })
  const pair: fc.Arbitrary<readonly [Element, Outcome]> = fc.oneof(
    id.map((eventId) => [eventOf(eventId), STORED] as const),
    id.map((eventId) => [eventOf(eventId), DUPLICATE] as const),
    fc.tuple(fc.option(id), fc.string({ unit: 'binary' })).map(([eventId, detail]) => {
      const refused = rejection('INVALID_JSON', detail, { eventId })
      return [refused, refused] as const
    }),
  )
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1 }), fc.boolean(), (pairs, one) => {
      const shown = one ? pairs.slice(0, 1) : pairs
      const json = deviceAckJson(
        messageOf(
          shown.map(([element]) => element),
          { shape: one ? 'one' : 'array' },
        ),
        shown.map(([, outcome]) => outcome),
      )
      assert.ok(json.isWellFormed() && !/\\ud[89a-f]/i.test(json.replaceAll('\\\\', '')))
      assert.equal(Value.Check(DeviceAckMessageSchema, JSON.parse(json)), true)
      assert.equal(Array.isArray(JSON.parse(json)), !one)
      assert.deepEqual(
        ackFor(Buffer.from(json))?.map((ack) => ack.event_id),
        shown.map(([element]) => element.eventId),
      )
    }),
    { numRuns: 500 },
  )
})
