import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, EventTopic } from '@qs-telemetry/protocol'
import {
  accepted,
  decode,
  deliveryOf,
  eventJson,
  nested,
  refused,
  SERVER_TIME,
} from '@qs-telemetry/testing/decoding.ts'
import { decodeMessage } from '../../src/decode/decode-message.ts'

test('an object is one event, with the device id from its topic', () => {
  const message = decode(eventJson({ value: '21.5', unit: '"C"' }))
  assert.equal(message.shape, 'one')
  assert.equal(message.deviceId, 'dev-1')
  assert.equal(message.tsServer, SERVER_TIME)
  assert.deepEqual(message.elements, [
    {
      kind: 'event',
      eventId: 'e-1',
      deviceId: 'dev-1',
      eventType: 'temp',
      valueNum: 21.5,
      valueText: null,
      valueExact: null,
      unit: 'C',
      ts: SERVER_TIME,
      tsDevice: null,
      tsDeviceLocal: null,
      tsDeviceRaw: null,
      schema: 1,
      meta: null,
      warning: null,
    },
  ])
})

test('an array is decoded element by element, even with only one', () => {
  assert.equal(decode(`[${eventJson()}]`).shape, 'array')
  assert.equal(decode(`[${eventJson()}]`).elements.length, 1)
  assert.equal(decode(` [ ${eventJson()} , ${eventJson()} ] `).elements.length, 2)
})

test('one bad element of an array costs only itself', () => {
  const { elements } = decode(
    `[${eventJson({ event_id: '"a"' })},{},${eventJson({ event_id: '"b"', value: '[]' })},7,[],null,${eventJson({ event_id: '"c"' })}]`,
  )
  assert.deepEqual(
    elements.map((element) => (element.kind === 'event' ? element.eventId : [element.code, element.eventId])),
    [
      'a',
      ['MISSING_FIELD', null],
      ['INVALID_VALUE', 'b'],
      ['NOT_AN_EVENT', null],
      ['NOT_AN_EVENT', null],
      ['NOT_AN_EVENT', null],
      'c',
    ],
  )
})

test('a message without a payload is rejected', () => {
  assert.deepEqual(refused(''), {
    kind: 'rejection',
    code: 'EMPTY_MESSAGE',
    message: 'The message has no payload. Send one JSON object or an array of them.',
    trace: 'decode: EMPTY_MESSAGE',
    eventId: null,
  })
})

test('a message of exactly the limit is accepted, one byte more is rejected', () => {
  const pad = (bytes: number) => eventJson() + ' '.repeat(bytes - eventJson().length)
  assert.equal(accepted(pad(262_144)).eventId, 'e-1')
  assert.equal(refused(pad(262_145)).code, 'MESSAGE_TOO_LARGE')
  assert.equal(refused('x'.repeat(1024 * 1024)).code, 'MESSAGE_TOO_LARGE')
  assert.equal(accepted(eventJson(), { limits: { messageBytes: eventJson().length } }).eventId, 'e-1')
})

test('invalid UTF-8 is rejected: overlong, truncated, a lone byte, a surrogate, beyond Unicode', () => {
  for (const bytes of [
    [0xc0, 0x80],
    [0xe2, 0x82],
    [0x80],
    [0xff],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ]) {
    const payload = Buffer.concat([
      Buffer.from('{"schema":1,"event_id":"'),
      Buffer.from(bytes),
      Buffer.from('","device_id":"dev-1","event_type":"temp"}'),
    ])
    assert.equal(refused(payload).code, 'INVALID_UTF8', String(bytes))
  }
})

test('invalid JSON is rejected, and the trace has the message of the parser', () => {
  for (const payload of [
    '{',
    '[',
    'x',
    ' ',
    '{"a":1',
    "{'a':1}",
    'NaN',
    '{"a":01}',
    '\ufeff',
    '\0',
    '{}{}',
    '"\n"',
  ]) {
    const { code, trace, eventId } = refused(payload)
    assert.equal(code, 'INVALID_JSON', payload)
    assert.match(trace, /^decode: JSON\.parse: SyntaxError: ./)
    assert.equal(eventId, null)
  }
})

test('a message other than an object or an array of objects is rejected', () => {
  assert.equal(refused('42').code, 'NOT_AN_EVENT')
  assert.equal(refused('42').message.startsWith('It is a number. '), true)
  for (const payload of ['"text"', 'true', 'null', '-0', '[[]]', '[[{}]]']) {
    assert.equal(refused(payload).code, 'NOT_AN_EVENT', payload)
  }
})

test('a number beyond the range of a double is not reported as null', () => {
  assert.doesNotMatch(refused('1e400').message, /null/)
})

test('an empty array is rejected as one element', () => {
  const message = decode('[]')
  assert.equal(message.shape, 'one')
  assert.equal(refused('[]').code, 'EMPTY_ARRAY')
})

test('an array of exactly the limit is accepted, one event more is rejected as one element', () => {
  const array = (count: number) => `[${Array.from({ length: count }, () => '{"event_id":"a"}').join(',')}]`
  assert.equal(decode(array(1000)).elements.length, 1000)
  assert.equal(refused(array(1001)).code, 'TOO_MANY_EVENTS')
  assert.equal(refused('[{},{},{}]', { limits: { arrayEvents: 2 } }).code, 'TOO_MANY_EVENTS')
})

test('an array without events and ids is rejected as one element with an explanation', () => {
  const message = decode('[0,null,"a",true,[],{},{"event_id":5}]')
  assert.equal(message.shape, 'one')
  const { code, message: text, eventId } = refused('[0,null,"a",true,[],{},{"event_id":5}]')
  assert.deepEqual([code, eventId], ['NOT_AN_EVENT', null])
  assert.match(text, /^All 7 elements of the array are rejected, the first one because: It is a number\. /)
})

test('an array with one event or id among a thousand bad elements is answered element by element', () => {
  const zeros = '0,'.repeat(998)
  for (const last of ['{"event_id":"a"}', eventJson()]) {
    const message = decode(`[${zeros}${last}]`)
    assert.deepEqual([message.shape, message.size], ['array', 999])
    assert.notEqual(message.eventIdAt(998), null)
  }
  assert.equal(decode('[0]').shape, 'array')
})

test('a message on a topic without a device id is rejected, with no device to answer', () => {
  for (const topic of [
    'qs/v1//events',
    'qs/v1/events',
    'other',
    'qs/v1/a/b/events',
    'qs/v1/a\u0001/events',
    'qs/v1/#/events',
  ]) {
    const message = decode(eventJson(), { topic })
    assert.equal(message.deviceId, null, topic)
    assert.equal(message.shape, 'one')
    assert.equal(refused(eventJson(), { topic }).code, 'TOPIC_MISMATCH', topic)
  }
})

test('an array on a topic without a device id is one rejection', () => {
  assert.equal(decode(`[${eventJson()},${eventJson()}]`, { topic: 'other' }).elements.length, 1)
})

test('arrays nested ten thousand deep are rejected in any position', () => {
  const deep = nested(10_000)
  assert.equal(refused(deep).code, 'NOT_AN_EVENT')
  assert.equal(refused(eventJson({ value: deep })).code, 'INVALID_VALUE')
  assert.equal(refused(eventJson({ meta: `{"a":${deep}}` })).code, 'META_TOO_DEEP')
  assert.equal(refused(eventJson({ other: deep })).code, 'META_TOO_DEEP')
  assert.equal(refused(eventJson({ event_id: deep })).code, 'INVALID_FIELD')
})

test('a device time nested ten thousand deep does not cost the event', () => {
  assert.equal(accepted(eventJson({ ts_device: nested(10_000) })).warning?.code, 'TS_DEVICE_UNREADABLE')
})

test('a device time that is not a string is kept with the digits as sent', () => {
  assert.equal(accepted(eventJson({ ts_device: '[1.50]' })).tsDeviceRaw, '[1.50]')
  assert.equal(accepted(eventJson({ ts_device: '{"s":1.0}' })).tsDeviceRaw, '{"s":1.0}')
})

test('a message keeps its delivery, to settle it', () => {
  const message = decode('x')
  assert.equal(message.delivery.payload.toString(), 'x')
})

test('the last of repeated keys counts', () => {
  const payload = `{"value":1,"meta":{"a":1,"a":2},${eventJson({ value: '2' }).slice(1)}`
  const event = accepted(payload)
  assert.equal(event.valueNum, 2)
  assert.equal(event.meta, '{"a":2}')
})

test('an internal error becomes a rejection with its trace and does not end the process', () => {
  const message = decodeMessage(
    deliveryOf(
      '{"schema":1,"event_id":"e","device_id":"dev-1","event_type":"t","ts_device":"2026-01-01T00:00:00"}',
    ),
    {
      topic: new EventTopic('qs/v1/+/events'),
      limits: DEFAULT_LIMITS,
      eventIdRule: 'any',
      clockTrust: { maxPastMs: 0, maxFutureMs: 0 },
      timeZoneOf: () => {
        throw new Error('no zone today')
      },
    },
  )
  const [element] = message.elements
  assert.ok(element?.kind === 'rejection' && element.code === 'INTERNAL_ERROR')
  assert.match(element.trace, /no zone today/)
})

test('a message that the source could not handle is kept without being decoded', () => {
  const delivery = { ...deliveryOf(eventJson()), fault: 'the broker sent a PUBLISH of QoS 3' }
  const { elements } = decodeMessage(delivery, {
    topic: new EventTopic('qs/v1/+/events'),
    limits: DEFAULT_LIMITS,
    eventIdRule: 'any',
    clockTrust: { maxPastMs: 0, maxFutureMs: 0 },
    timeZoneOf: () => 'UTC',
  })
  assert.equal(elements.length, 1)
  assert.ok(elements[0]?.kind === 'rejection' && elements[0].code === 'QUARANTINED')
  assert.match(elements[0].trace, /QoS 3/)
})
