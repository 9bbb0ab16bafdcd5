import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeadLetter } from '@qs-telemetry/protocol'
import { DeadLetterSchema } from '@qs-telemetry/protocol/schemas'
import fc from 'fast-check'
import Value from 'typebox/value'
import type { Letter } from '../../src/pipeline/letter.ts'
import { rejection } from '../../src/pipeline/rejection.ts'
import { deadLetterJson } from '../../src/reply/dead-letter.ts'

const letterOf = (payload: string | Buffer, parts: Partial<Letter> = {}): Letter => ({
  rejection: rejection('INVALID_VALUE', 'value is an array', { eventId: 'e-1' }),
  topic: 'qs/v1/dev-1/events',
  deviceId: 'dev-1',
  receivedAt: '2026-11-23T18:00:00.123456Z',
  payload: Buffer.from(payload),
  index: 0,
  redelivered: false,
  ...parts,
})

const publish = (letter: Letter, maxBytes = 1_000_000) =>
  JSON.parse(deadLetterJson(letter, maxBytes)) as DeadLetter

/** The payload bytes as a reader decodes them. */
const bytesOf = ({ payload, payload_encoding: encoding }: DeadLetter) =>
  Buffer.from(payload, encoding ?? 'utf8')

test('a dead letter has every field of the contract', () => {
  assert.deepEqual(publish(letterOf('{"value":[]}')), {
    code: 'INVALID_VALUE',
    error: 'value is an array. value must be a finite number, a string, a boolean or null.',
    trace: 'decode: INVALID_VALUE: value is an array',
    topic: 'qs/v1/dev-1/events',
    device_id: 'dev-1',
    event_id: 'e-1',
    received_at: '2026-11-23T18:00:00.123456Z',
    payload: '{"value":[]}',
  })
})

test('unknown fields are null', () => {
  const { device_id: deviceId, event_id: eventId } = publish(
    letterOf('', { deviceId: null, rejection: rejection('EMPTY_MESSAGE', '') }),
  )
  assert.deepEqual([deviceId, eventId], [null, null])
})

test('bytes that are not UTF-8 are sent as base64, with payload_encoding', () => {
  const letter = publish(letterOf(Buffer.from([0xff, 0x00, 0x80])))
  assert.equal(letter.payload, '/wCA')
  assert.equal(letter.payload_encoding, 'base64')
})

test('any bytes can be read back, and the JSON conforms to the published schema', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        const letter = publish(letterOf(Buffer.from(bytes)))
        assert.deepEqual(bytesOf(letter), Buffer.from(bytes))
        assert.equal(letter.payload_bytes, undefined)
        assert.equal(Value.Check(DeadLetterSchema, letter), true)
      },
    ),
  )
})

test('a dead letter of exactly the size that the broker accepts is published whole', () => {
  const letter = letterOf('x'.repeat(50_000))
  const whole = deadLetterJson(letter, 1_000_000)
  assert.equal(deadLetterJson(letter, whole.length), whole)
  assert.equal(publish(letter, whole.length - 1).payload_bytes, 50_000)
})

test('a larger dead letter is truncated to fit, with its original size', () => {
  const whole = Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7) % 256))
  for (const bytes of [whole, Buffer.from('\u0001'.repeat(100_000)), Buffer.from('"\\'.repeat(50_000))]) {
    const json = deadLetterJson(letterOf(bytes), 20_000)
    assert.ok(Buffer.byteLength(json) <= 20_000, String(json.length))
    const letter = JSON.parse(json) as DeadLetter
    assert.equal(letter.payload_bytes, 100_000)
    const kept = bytesOf(letter)
    assert.ok(kept.length > 1000)
    assert.deepEqual(kept, bytes.subarray(0, kept.length))
  }
})

test('text stays text when it is truncated', () => {
  for (const text of ['ä', '€', '🚀', 'x🚀', 'xx🚀', 'xxx🚀']) {
    const letter = publish(letterOf(text.repeat(20_000)), 20_000)
    assert.equal(letter.payload_encoding, undefined, text)
    assert.ok(text.repeat(20_000).startsWith(letter.payload))
  }
})

test('a dead letter whose event id alone is too large for the broker is still published', () => {
  const eventId = 'x'.repeat(100_000)
  const letter = letterOf(`{"event_id":"${eventId}"}`, {
    rejection: rejection('FIELD_TOO_LONG', '', { eventId }),
  })
  assert.ok(Buffer.byteLength(deadLetterJson(letter, 20_000)) <= 20_000)
})

test('a dead letter from a topic of 60 KB is published to a broker that accepts 65 KB', () => {
  const deviceId = 'd'.repeat(60_000)
  const letter = letterOf('{}', { deviceId, topic: `qs/v1/${deviceId}/events` })
  assert.ok(Buffer.byteLength(deadLetterJson(letter, 65_000)) <= 65_000)
})

test('a dead letter is valid JSON for every reader, even if the error quotes half of a character', () => {
  const json = deadLetterJson(
    letterOf('x', { rejection: rejection('NOT_AN_EVENT', 'It is "\ud83d') }),
    1_000_000,
  )
  assert.doesNotMatch(json, /\\ud83d/)
})
