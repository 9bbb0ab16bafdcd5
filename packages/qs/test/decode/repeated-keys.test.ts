import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, decode, eventJson, nested, refused } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'
import { countKeys, repeatedKey } from '../../src/decode/repeated-keys.ts'

const codeOf = (json: string) => accepted(json).warning?.code ?? null

test('an event with a repeated key is stored with the last value, and its warning names the key', () => {
  const event = accepted(`{"value":1,${eventJson({ value: '2.5' }).slice(1)}`)
  assert.equal(event.valueNum, 2.5)
  assert.deepEqual(event.warning, {
    code: 'KEY_REPEATED',
    message: 'Stored with the last value of "value": an object has this key twice',
  })
})

test('a repeated key is found at any depth, however it is written', () => {
  for (const meta of [
    '{"a":1,"a":2}',
    '{"a" :1,"a"\t:1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":[0,{"c":1,"d":"x:y","c":2}]}}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"1":1,"1":1}',
  ])
    assert.equal(codeOf(eventJson({ meta })), 'KEY_REPEATED', meta)
  assert.equal(codeOf(`{"other":1,"other":1,${eventJson().slice(1)}`), 'KEY_REPEATED')
  assert.equal(codeOf(eventJson({ event_id: '"e-1","event_id":"e-1"' })), 'KEY_REPEATED')
})

test('the same key in several objects, and strings that look like keys, give no warning', () => {
  for (const meta of [
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"a":"\\":","b":"\\" :","c":" :","d":":"}',
    '{"a":"\\"a\\":1","b":"\\\\","c":"{\\"a\\":1,\\"a\\":2}"}',
    '{"A":1,"a":2}',
  ])
    assert.equal(codeOf(eventJson({ meta })), null, meta)
})

test('a repeated key in one element of an array warns about that element only', () => {
  const repeated = `{"unit":"F",${eventJson({ event_id: '"b"', unit: '"C"' }).slice(1)}`
  const good = (id: string) => eventJson({ event_id: `"${id}"`, meta: '{"note":"a :b, {\\"x\\":1}"}' })
  const { elements } = decode(` [ ${good('a')} , ${repeated}, {}, ${good('c')}]`)
  assert.deepEqual(
    elements.map((element) => (element.kind === 'event' ? (element.warning?.code ?? null) : element.code)),
    [null, 'KEY_REPEATED', 'MISSING_FIELD', null],
  )
  // Beside an element that is not JSON, each one is read separately.
  const salvaged = decode(`[${good('a')},${repeated},{"value":NaN}]`).elements
  assert.deepEqual(
    salvaged.map((element) => (element.kind === 'event' ? (element.warning?.code ?? null) : element.code)),
    [null, 'KEY_REPEATED', 'INVALID_JSON'],
  )
})

test('a repeated key takes precedence over other warnings', () => {
  const members = { value: '0.12345678901234567890', ts_device: '"1970-01-01T00:00:09Z"' }
  assert.equal(codeOf(eventJson({ ...members, meta: '{"a":1,"a":2}' })), 'KEY_REPEATED')
  assert.equal(codeOf(eventJson(members)), 'VALUE_ROUNDED')
  assert.equal(codeOf(eventJson({ ...members, value: '0.1' })), 'TS_DEVICE_IMPLAUSIBLE')
})

test('a key of any length and content gives a warning that can be sent', () => {
  for (const key of ['x'.repeat(10_000), '\\u0007', '🚀'.repeat(30), `${'x'.repeat(39)}🚀`]) {
    const { warning } = accepted(eventJson({ meta: `{"${key}":1,"${key}":2}` }))
    assert.equal(warning?.code, 'KEY_REPEATED')
    assert.ok(warning.message.isWellFormed() && warning.message.length < 200)
  }
})

test('objects nested forty thousand deep are read to the end', () => {
  const deep = `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`
  assert.ok(Number.isNaN(countKeys(JSON.parse(deep))))
  assert.equal(repeatedKey(deep), null)
  assert.equal(refused(eventJson({ meta: deep })).code, 'META_TOO_DEEP')
  assert.equal(codeOf(eventJson({ ts_device: deep })), 'TS_DEVICE_UNREADABLE')
  assert.equal(codeOf(eventJson({ ts_device: nested(100_000) })), 'TS_DEVICE_UNREADABLE')
})

test('a repeated key is found exactly if a reader of each pair finds one', () => {
  const key = fc.constantFrom('a', 'b', 'c', '":', '\\', '')
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('1', '"x"', '":"', '" :"', 'null', '{}'),
      fc
        .array(fc.tuple(key, tie('value')), { maxLength: 4 })
        .map((pairs) => `{${pairs.map(([name, json]) => `${JSON.stringify(name)} :${json}`).join(', ')}}`),
      fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    ),
  }))
  fc.assert(
    fc.property(value, (json) => {
      // JSON.stringify writes each key that JSON.parse kept, in order: with fewer keys, one was repeated.
      const kept = JSON.stringify(JSON.parse(json)).length
      const all = json.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (token) =>
        token.startsWith('"') ? token : '',
      ).length
      assert.equal(repeatedKey(json) !== null, kept < all, json)
    }),
    { numRuns: 3000 },
  )
})
