import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ackFor, DEAD_LETTER_CODES, type DeadLetterCode } from '@qs-telemetry/protocol'
import { DeviceAckMessageSchema } from '@qs-telemetry/protocol/schemas'
import fc from 'fast-check'
import { generate } from 'mqtt-packet'
import Value from 'typebox/value'
import type { Element, Message, Outcome } from '../../src/pipeline/message.ts'
import { rejection } from '../../src/pipeline/rejection.ts'
import { deviceAckPayloads } from '../../src/reply/device-ack.ts'
import { eventOf, messageOf } from './replying.ts'

const deviceAckJson = (message: Message, outcomes: readonly Outcome[]): string => {
  const [json, ...more] = deviceAckPayloads(message, outcomes, {
    topic: 'qs/v1/dev-1/acks',
    maxBytes: 2 ** 21,
  })
  assert.deepEqual(more, [])
  return json as string
}

const STORED: Outcome = { kind: 'stored', tsServer: '2026-11-23T18:00:00.123456Z' }
const DUPLICATE: Outcome = { kind: 'duplicate', tsServer: '2026-11-23T17:00:00.000000Z' }

test('the ack of an object is exactly the object of the contract', () => {
  assert.equal(
    deviceAckJson(messageOf([eventOf('test-001')], { shape: 'one' }), [STORED]),
    '{"event_id":"test-001","status":"stored","ts_server":"2026-11-23T18:00:00.123456Z"}',
  )
})

test('a duplicate has the server time of the stored event', () => {
  assert.equal(
    deviceAckJson(messageOf([eventOf('a')], { shape: 'one' }), [DUPLICATE]),
    '{"event_id":"a","status":"duplicate","ts_server":"2026-11-23T17:00:00.000000Z"}',
  )
})

test('an unreadable message is acked with one object without an event id, and the reason', () => {
  const refused = rejection('EMPTY_ARRAY', '')
  assert.deepEqual(JSON.parse(deviceAckJson(messageOf([refused], { shape: 'one' }), [refused])), {
    event_id: null,
    status: 'rejected',
    error: {
      code: 'EMPTY_ARRAY',
      message: 'The array is empty. Send no message when there is nothing to send.',
    },
  })
})

test('the ack of an array is an array in its order, even with one element', () => {
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

test('a conflict found in the database is rejected under the id of the event', () => {
  const conflict = rejection('EVENT_ID_CONFLICT', '', { eventId: 'a' })
  assert.deepEqual(JSON.parse(deviceAckJson(messageOf([eventOf('a')], { shape: 'one' }), [conflict])), {
    event_id: 'a',
    status: 'rejected',
    error: {
      code: 'EVENT_ID_CONFLICT',
      message: 'Another event is stored under this event_id. Ids are permanent: give each event its own.',
    },
  })
})

test('an unreadable device time gives a warning with stored and duplicate', () => {
  const event = { ...eventOf('a'), warning: { code: 'TS_DEVICE_UNREADABLE', message: 'Stored "without" it' } }
  for (const outcome of [STORED, DUPLICATE]) {
    const ack = JSON.parse(deviceAckJson(messageOf([event], { shape: 'one' }), [outcome])) as Record<
      string,
      unknown
    >
    assert.deepEqual(ack.warning, { code: 'TS_DEVICE_UNREADABLE', message: 'Stored "without" it' })
  }
})

test('every ack conforms to the published schema and to what a device reads', () => {
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

test('an array rejected as a whole is answered with the ids that are readable in it', () => {
  const refused = rejection('TOO_MANY_EVENTS', 'The array has 3 elements', { names: ['a', null, 'b'] })
  assert.deepEqual(
    (
      JSON.parse(deviceAckJson(messageOf([refused], { shape: 'one' }), [refused])) as { event_id: string }[]
    ).map(({ event_id: id }) => id),
    ['a', 'b'],
  )
  const nameless = rejection('TOO_MANY_EVENTS', 'The array has 3 elements', { names: [null, null, null] })
  const ack = JSON.parse(deviceAckJson(messageOf([nameless], { shape: 'one' }), [nameless])) as {
    event_id: null
  }
  assert.equal(ack.event_id, null)
})

/** The size of the PUBLISH with the ack, as a broker sends it. */
const packetBytes = (topic: string, payload: string, qos: 0 | 1, version: 4 | 5) =>
  generate(
    { cmd: 'publish', topic, payload, qos, dup: false, retain: false, ...(qos === 1 && { messageId: 7 }) },
    { protocolVersion: version },
  ).length

test('the ack of one event with ids of 64 bytes fits a packet of 256 bytes, with any code', () => {
  const id = fc.integer({ min: 1, max: 64 }).map((length) => `${'dev-0123456789/'.repeat(5)}`.slice(-length))
  const code = fc.constantFrom(...(Object.keys(DEAD_LETTER_CODES) as DeadLetterCode[]))
  const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 300 }), fc.constant('x "y" '.repeat(60)))
  const warned = (eventId: string, message: string) => ({
    ...eventOf(eventId),
    warning: { code: 'TS_DEVICE_UNREADABLE', message },
  })
  const answer: fc.Arbitrary<readonly [Element, Outcome]> = fc.oneof(
    id.map((eventId) => [eventOf(eventId), STORED] as const),
    fc
      .tuple(id, text, fc.constantFrom(STORED, DUPLICATE))
      .map(([eventId, message, outcome]) => [warned(eventId, message), outcome] as const),
    fc.tuple(fc.option(id), code, text).map(([eventId, refusedFor, detail]) => {
      const refused = rejection(refusedFor, detail, { eventId })
      return [refused, refused] as const
    }),
  )
  const wire = fc.record({
    qos: fc.constantFrom(0 as const, 1 as const),
    version: fc.constantFrom(4 as const, 5 as const),
  })
  fc.assert(
    fc.property(
      answer,
      id,
      fc.constantFrom('one' as const, 'array' as const),
      wire,
      (each, deviceId, shape, { qos, version }) => {
        const topic = `qs/v1/${deviceId}/acks`
        const [element, outcome] = each
        const [json = '', ...more] = deviceAckPayloads(messageOf([element], { shape }), [outcome], {
          topic,
          maxBytes: 1e6,
        })
        assert.deepEqual(more, [])
        assert.ok(packetBytes(topic, json, qos, version) <= 256, json)
        assert.equal(Value.Check(DeviceAckMessageSchema, JSON.parse(json)), true)
        const [ack] = ackFor(Buffer.from(json)) ?? []
        assert.equal(ack?.event_id, element.eventId)
        if (outcome.kind === 'rejection') assert.equal(ack?.error?.code, outcome.code)
        if (element.kind === 'event' && element.warning !== null)
          assert.equal(ack?.warning?.code, element.warning.code)
      },
    ),
    { numRuns: 3_000 },
  )
})

test('a message that fits is whole, one that does not keeps its beginning', () => {
  const refused = rejection('INVALID_VALUE', 'value is an object', { eventId: 'kitchen-0001-000042' })
  const json = (topic: string) =>
    deviceAckPayloads(messageOf([refused], { shape: 'one' }), [refused], { topic, maxBytes: 1e6 })[0]
  const message = (topic: string) =>
    (JSON.parse(json(topic) ?? '') as { error: { message: string } }).error.message
  assert.equal(message('qs/v1/kitchen/acks'), refused.message)
  assert.equal(
    message(`qs/v1/${'k'.repeat(64)}/acks`),
    'value is an object. value must be a finite number, a string, a boolean',
  )
})
