import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elementBytes } from '../../src/pipeline/element-bytes.ts'

const texts = (json: string): readonly string[] => elementBytes(Buffer.from(json)).map(String)

test('each element comes as it was written, without the white space around it', () => {
  assert.deepEqual(texts(' [ 1 ,\t{ "a" : [ 2 , 3 ] }\r\n, "x" , [ ] ,null] '), [
    '1',
    '{ "a" : [ 2 , 3 ] }',
    '"x"',
    '[ ]',
    'null',
  ])
})

test('digits, escapes and repeated keys come through', () => {
  assert.deepEqual(texts('[1.50,1e400,"\\u00e4\\/",{"a":1,"a":2}]'), [
    '1.50',
    '1e400',
    '"\\u00e4\\/"',
    '{"a":1,"a":2}',
  ])
})

test('brackets, commas and quotes in texts are text', () => {
  assert.deepEqual(texts('["],[","{","\\"]","\\\\","\\\\\\",",{"]}":"[{"}]'), [
    '"],["',
    '"{"',
    '"\\"]"',
    '"\\\\"',
    '"\\\\\\","',
    '{"]}":"[{"}',
  ])
})

test('characters of several bytes are not taken apart', () => {
  assert.deepEqual(texts('["🚀,","€]",{"ä":"漢"}]'), ['"🚀,"', '"€]"', '{"ä":"漢"}'])
})

test('nesting of any depth costs no stack', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  assert.deepEqual(
    texts(`[1,${deep},2]`).map((text) => text.length),
    [1, 200_000, 1],
  )
})

test('elements parse to what the array parses to, and stand in it in their order', () => {
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
