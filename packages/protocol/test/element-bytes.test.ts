import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elementBytes } from '../src/element-bytes.ts'

const texts = (json: string): readonly string[] => elementBytes(Buffer.from(json)).map(String)

test('each element is returned as written, without the white space around it', () => {
  assert.deepEqual(texts(' [ 1 ,\t{ "a" : [ 2 , 3 ] }\r\n, "x" , [ ] ,null] '), [
    '1',
    '{ "a" : [ 2 , 3 ] }',
    '"x"',
    '[ ]',
    'null',
  ])
})

test('digits, escapes and repeated keys are preserved', () => {
  assert.deepEqual(texts('[1.50,1e400,"\\u00e4\\/",{"a":1,"a":2}]'), [
    '1.50',
    '1e400',
    '"\\u00e4\\/"',
    '{"a":1,"a":2}',
  ])
})

test('brackets, commas and quotes in strings are text', () => {
  assert.deepEqual(texts('["],[","{","\\"]","\\\\","\\\\\\",",{"]}":"[{"}]'), [
    '"],["',
    '"{"',
    '"\\"]"',
    '"\\\\"',
    '"\\\\\\","',
    '{"]}":"[{"}',
  ])
})

test('characters of several bytes are not split', () => {
  assert.deepEqual(texts('["🚀,","€]",{"ä":"漢"}]'), ['"🚀,"', '"€]"', '{"ä":"漢"}'])
})

test('nesting of any depth costs no stack', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  assert.deepEqual(
    texts(`[1,${deep},2]`).map((text) => text.length),
    [1, 200_000, 1],
  )
})

test('elements parse to the same values as the array, in the same order', () => {
  const space = fc.stringMatching(/^[ \t\n\r]{0,3}$/)
  const element = fc.oneof(
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text.toWellFormed())),
    fc.constantFrom('"\\\\"', '"\\""', '[]', '{}', '[[],[{}]]', '{"a":",]"}', '1e400'),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(space, element, space), { minLength: 1 }), space, (parts, around) => {
      const json = `${around}[${parts.map((part) => part.join('')).join(',')}]${around}`
      const found = texts(json)
      assert.deepEqual(
        found,
        parts.map(([, written]) => written),
      )
      assert.deepEqual(
        found.map((text): unknown => JSON.parse(text)),
        JSON.parse(json),
      )
      let from = 0
      for (const text of found) {
        const at = json.indexOf(text, from)
        assert.ok(at >= from)
        from = at + text.length
      }
    }),
    { numRuns: 1000 },
  )
})

test('elements are parts of the payload, not copies', () => {
  const payload = Buffer.from('[1,22]')
  for (const element of elementBytes(payload)) assert.equal(element.buffer, payload.buffer)
})

test('an element that is not JSON ends where its neighbours begin', () => {
  const [a, b] = ['{"event_id":"a","meta":{"x":[{"y":1},{"z":"],["}]}}', '{ "b" : 2 }']
  for (const bad of [
    'NaN',
    '{"v":nan}',
    '{"v":-Infinity,"w":[inf]}',
    "{'v': 'it, is {', 'w': None}",
    '{"v":"C}',
    '{"v":C"}',
    '{"v":"a"b"}',
    '{"v":"a\\"}',
    '{"v":1',
    '{"v":{"w":1}',
    '{"v":[1,2}',
    '{"v":1]}',
    '{"v":1}}',
    "{v:don't}",
    '{"v":[{}',
    '{"v":[{"w":[{}}',
    '\\"',
  ]) {
    assert.deepEqual(texts(`[${a},${bad},${b}]`), [a, bad, b], bad)
    assert.deepEqual(texts(`[${bad},${a},${b}]`), [bad, a, b], bad)
    assert.deepEqual(texts(`[${a} ,\n ${bad} ,\n ${bad} ,\n ${b}\n]\n`), [a, bad, bad, b], bad)
  }
})

test('extra and missing commas, a byte order mark and NULs cost no element', () => {
  for (const text of [
    '[1,{"a":2},]',
    '[1,,{"a":2},,]',
    '[,1,{"a":2}]',
    '\ufeff[1,{"a":2}]',
    '[1,{"a":2}]\0\0',
    ' [1,{"a":2}]\0\n ',
    '[1{"a":2}]',
    '[1,{"a":2}',
    '[1,{"a":2},',
  ]) {
    assert.deepEqual(texts(text), ['1', '{"a":2}'], JSON.stringify(text))
  }
  assert.deepEqual(texts('[{"a":1}{"b":2} {"c":3}]'), ['{"a":1}', '{"b":2}', '{"c":3}'])
})

test('a truncated array keeps its complete elements, and the last one as far as it was received', () => {
  const whole = '[{"a":"x"},{"b":[1,{"c":"]"}]},{"d":4}]'
  for (let length = 1; length < whole.length; length++) {
    const found = texts(whole.slice(0, length))
    assert.ok(found.every((text) => whole.includes(text)))
    if (length > 10) assert.equal(found[0], '{"a":"x"}')
    if (length > 30) assert.equal(found[1], '{"b":[1,{"c":"]"}]}')
  }
})

test('the search stops at the maximum number of elements', () => {
  assert.equal(elementBytes(Buffer.from(`[${'0,'.repeat(100_000)}0]`), 3).length, 3)
})

test('an element of any bytes costs no good element except, if its quotes or brackets are unbalanced, the next one', () => {
  const good = (n: number) => `{"event_id":"e-${n}","value":${n}}`
  const bytes = fc.string({ unit: fc.constantFrom(...'"\'{}[]:,0aN .\n'), maxLength: 12 })
  fc.assert(
    fc.property(bytes, (inner) => {
      const found = texts(`[${good(1)},{"bad":${inner}},${good(2)},${good(3)}]`)
      assert.equal(found[0], good(1))
      assert.equal(found.at(-1), good(3), JSON.stringify(found))
    }),
    { numRuns: 5_000 },
  )
})
