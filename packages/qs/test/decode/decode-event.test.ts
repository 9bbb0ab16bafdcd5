import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, decode, eventJson, refused } from '@qs-telemetry/testing/decoding.ts'

const fault = (members: Readonly<Record<string, string | undefined>>) => refused(eventJson(members)).code

test('a required field that is absent or null is missing', () => {
  for (const name of ['schema', 'event_id', 'device_id', 'event_type']) {
    assert.equal(fault({ [name]: undefined }), 'MISSING_FIELD', name)
    assert.equal(fault({ [name]: 'null' }), 'MISSING_FIELD', name)
    assert.match(refused(eventJson({ [name]: undefined })).message, new RegExp(`^${name} is missing\\. `))
  }
})

test('a schema must be the integer 1', () => {
  for (const json of ['"1"', 'true', '1.5', '{}', '[1]', '1e400'])
    assert.equal(fault({ schema: json }), 'INVALID_FIELD', json)
  for (const json of ['0', '2', '-1', '1e15'])
    assert.equal(fault({ schema: json }), 'UNSUPPORTED_SCHEMA', json)
  for (const json of ['1', '1.0', '10e-1', '1e0'])
    assert.equal(accepted(eventJson({ schema: json })).schema, 1, json)
})

test('ids and the type must be non-empty strings', () => {
  for (const name of ['event_id', 'device_id', 'event_type']) {
    for (const json of ['1', 'true', '{}', '[]', '""'])
      assert.equal(fault({ [name]: json }), 'INVALID_FIELD', `${name} ${json}`)
  }
})

test('a rejection names the event if its id is readable', () => {
  assert.equal(refused(eventJson({ schema: undefined })).eventId, 'e-1')
  assert.equal(refused(eventJson({ value: '{}' })).eventId, 'e-1')
  assert.equal(refused(eventJson({ event_id: '5' })).eventId, null)
  assert.equal(refused(eventJson({ event_id: '"\\u0000"' })).eventId, null)
})

test('ids and the type may have 128 bytes of UTF-8 and not one more', () => {
  for (const name of ['event_id', 'event_type']) {
    assert.equal(accepted(eventJson({ [name]: `"${'x'.repeat(128)}"` })).kind, 'event')
    assert.equal(fault({ [name]: `"${'x'.repeat(129)}"` }), 'FIELD_TOO_LONG')
    assert.equal(accepted(eventJson({ [name]: `"${'ä'.repeat(64)}"` })).kind, 'event')
    assert.equal(fault({ [name]: `"${'ä'.repeat(64)}x"` }), 'FIELD_TOO_LONG')
    assert.equal(accepted(eventJson({ [name]: `"${'🚀'.repeat(32)}"` })).kind, 'event')
    assert.equal(fault({ [name]: `"${'🚀'.repeat(32)}x"` }), 'FIELD_TOO_LONG')
  }
  const long = 'd'.repeat(128)
  assert.equal(
    accepted(eventJson({ device_id: `"${long}"` }), { topic: `qs/v1/${long}/events` }).deviceId,
    long,
  )
  assert.equal(
    refused(eventJson({ device_id: `"${long}d"` }), { topic: `qs/v1/${long}d/events` }).code,
    'FIELD_TOO_LONG',
  )
})

test('a device id must not contain a slash, wildcard or control character', () => {
  for (const text of ['a/b', '+', '#', 'a\\u0001', '\\u007f', '\\u0085'])
    assert.equal(fault({ device_id: `"${text}"` }), 'INVALID_FIELD', text)
})

test('a device may send events only for itself', () => {
  const { code, message } = refused(eventJson({ device_id: '"dev-2"' }))
  assert.equal(code, 'DEVICE_ID_MISMATCH')
  assert.match(message, /^device_id is "dev-2", but the topic has "dev-1"\. /)
  assert.equal(fault({ device_id: '"DEV-1"' }), 'DEVICE_ID_MISMATCH')
  assert.equal(fault({ device_id: '"dev-1 "' }), 'DEVICE_ID_MISMATCH')
})

test('device ids are compared without Unicode normalization', () => {
  assert.equal(
    refused(eventJson({ device_id: '"a\\u0308"' }), { topic: 'qs/v1/\u00e4/events' }).code,
    'DEVICE_ID_MISMATCH',
  )
})

test('a number goes to value_num, a string to value_text, a boolean to value_num as 1 or 0', () => {
  const split = (json: string | undefined) => {
    const { valueNum, valueText } = accepted(eventJson({ value: json }))
    return [valueNum, valueText]
  }
  assert.deepEqual(split('21.5'), [21.5, null])
  assert.deepEqual(split('0'), [0, null])
  assert.deepEqual(split('1.7976931348623157e308'), [Number.MAX_VALUE, null])
  assert.deepEqual(split('"21.5"'), [null, '21.5'])
  assert.deepEqual(split('""'), [null, ''])
  assert.deepEqual(split('true'), [1, null])
  assert.deepEqual(split('false'), [0, null])
  assert.deepEqual(split('null'), [null, null])
  assert.deepEqual(split(undefined), [null, null])
})

test('minus zero stays minus zero', () => {
  assert.ok(Object.is(accepted(eventJson({ value: '-0' })).valueNum, -0))
  assert.ok(Object.is(accepted(eventJson({ value: '-0.0' })).valueNum, -0))
})

test('a value beyond the range of a double is refused, at either end', () => {
  assert.equal(fault({ value: '1e400' }), 'INVALID_VALUE')
  assert.equal(fault({ value: '-1e400' }), 'INVALID_VALUE')
  assert.equal(fault({ value: '1e131071' }), 'INVALID_VALUE')
})

test('a value too small for a double is refused rather than stored as zero', () => {
  assert.equal(fault({ value: '1e-400' }), 'INVALID_VALUE')
})

test('a value must not be an object or an array', () => {
  assert.match(refused(eventJson({ value: '{}' })).message, /^value is an object\. /)
  assert.match(refused(eventJson({ value: '[1]' })).message, /^value is an array\. /)
  assert.equal(fault({ value: '{}' }), 'INVALID_VALUE')
})

test('a text value may have 16 KiB of UTF-8 and not one byte more', () => {
  assert.equal(accepted(eventJson({ value: `"${'x'.repeat(16_384)}"` })).valueText?.length, 16_384)
  assert.equal(fault({ value: `"${'x'.repeat(16_385)}"` }), 'FIELD_TOO_LONG')
  assert.equal(accepted(eventJson({ value: `"${'€'.repeat(5461)}"` })).valueText?.length, 5461)
  assert.equal(fault({ value: `"${'€'.repeat(5461)}xx"` }), 'FIELD_TOO_LONG')
})

test('a unit may have 32 bytes and may be empty; null means no unit', () => {
  assert.equal(accepted(eventJson({ unit: `"${'x'.repeat(32)}"` })).unit?.length, 32)
  assert.equal(fault({ unit: `"${'x'.repeat(33)}"` }), 'FIELD_TOO_LONG')
  assert.equal(fault({ unit: `"${'°'.repeat(16)}C"` }), 'FIELD_TOO_LONG')
  assert.equal(accepted(eventJson({ unit: '""' })).unit, '')
  assert.equal(accepted(eventJson({ unit: 'null' })).unit, null)
  assert.equal(fault({ unit: '5' }), 'INVALID_FIELD')
  assert.equal(fault({ unit: 'false' }), 'INVALID_FIELD')
})

test('strings that PostgreSQL cannot store are rejected in every field', () => {
  for (const text of ['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"a\\udfff"']) {
    for (const name of ['event_id', 'event_type', 'unit', 'value'])
      assert.equal(fault({ [name]: text }), 'INVALID_TEXT', `${name} ${text}`)
    assert.notEqual(fault({ device_id: text }), undefined)
  }
  assert.equal(accepted(eventJson({ value: '"\\ud83d\\ude80"' })).valueText, '🚀')
})

test('control characters other than U+0000 are accepted', () => {
  assert.equal(accepted(eventJson({ event_id: '"\\u0001\\n"' })).eventId, '\u0001\n')
})

test('unknown fields are kept in meta under _extra', () => {
  assert.equal(accepted(eventJson({ rssi: '-70', fw: '"1.2"' })).meta, '{"_extra":{"rssi":-70,"fw":"1.2"}}')
  assert.equal(accepted(eventJson({ meta: '{"a":1}', rssi: 'null' })).meta, '{"a":1,"_extra":{"rssi":null}}')
  assert.equal(accepted(eventJson({ meta: 'null', rssi: '[]' })).meta, '{"_extra":{"rssi":[]}}')
  assert.equal(accepted(eventJson({ Value: '1', EVENT_ID: '2' })).meta, '{"_extra":{"Value":1,"EVENT_ID":2}}')
})

test('fields named like members of Object are fields like any other', () => {
  const event = accepted(eventJson({ constructor: '2', toString: '3', hasOwnProperty: '4' }))
  assert.equal(event.meta, '{"_extra":{"constructor":2,"toString":3,"hasOwnProperty":4}}')
  const payload = eventJson().replace('{', '{"__proto__":{"polluted":true,"value":7},')
  const withProto = accepted(payload)
  assert.equal(withProto.meta, '{"_extra":{"__proto__":{"polluted":true,"value":7}}}')
  assert.equal(withProto.valueNum, null)
})

test('__proto__ does not supply missing fields', () => {
  const payload = `{"__proto__":${eventJson()}}`
  assert.equal(refused(payload).code, 'MISSING_FIELD')
})

test('no payload pollutes the prototype of other objects', () => {
  for (const payload of [
    eventJson({ meta: '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}}}' }),
    eventJson({ constructor: '{"prototype":{"polluted":1}}' }),
    eventJson({ n: '12345678901234567890' }).replace('{', '{"__proto__":{"polluted":1},'),
    eventJson({ meta: '{"__proto__":{"n":12345678901234567890}}' }),
  ]) {
    assert.equal(decode(payload).elements[0]?.kind, 'event', payload)
    assert.equal(({} as Record<string, unknown>).polluted, undefined)
    assert.equal(({} as Record<string, unknown>).n, undefined)
  }
})

test('with EVENT_ID_RULE=device an event id must begin with the device id and a hyphen', () => {
  const rule = { eventIdRule: 'device' } as const
  assert.equal(accepted(eventJson({ event_id: '"dev-1-7"' }), rule).eventId, 'dev-1-7')
  for (const id of ['e-1', 'dev-1', 'dev-17', 'dev-2-7', 'xdev-1-7']) {
    const { code, eventId, message } = refused(eventJson({ event_id: JSON.stringify(id) }), rule)
    assert.deepEqual([code, eventId], ['EVENT_ID_NOT_OWN', id])
    assert.match(message, /^Send an event_id that begins with "dev-1-"/)
  }
  assert.equal(accepted(eventJson({ event_id: '"e-1"' })).eventId, 'e-1')
})

test('EVENT_ID_RULE=device does not separate a device from one whose id begins with its id and a hyphen', () => {
  const { eventId } = accepted(eventJson({ event_id: '"dev-1-kitchen-0001"' }), { eventIdRule: 'device' })
  assert.equal(eventId, 'dev-1-kitchen-0001', 'which device dev-1-kitchen may send too')
})

test('a ts_device of more than 64 bytes is truncated, with its own warning', () => {
  const kept = (text: string) => {
    const { tsDevice, tsDeviceRaw, warning } = accepted(eventJson({ ts_device: JSON.stringify(text) }))
    assert.equal(tsDevice, null)
    return [tsDeviceRaw, warning?.code]
  }
  assert.deepEqual(kept('x'.repeat(64)), ['x'.repeat(64), 'TS_DEVICE_UNREADABLE'])
  assert.deepEqual(kept('x'.repeat(65)), [`${'x'.repeat(28)}…`, 'TS_DEVICE_TOO_LONG'])
  assert.deepEqual(kept('é'.repeat(200_000 / 2)), [`${'é'.repeat(14)}…`, 'TS_DEVICE_TOO_LONG'])
  assert.deepEqual(kept(`x${'🚀'.repeat(100)}`), [`x${'🚀'.repeat(6)}…`, 'TS_DEVICE_TOO_LONG'])
})
