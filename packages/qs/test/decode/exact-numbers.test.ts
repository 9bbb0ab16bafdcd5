import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exactDigits, inDoubleRange, parseExact, stringifyExact } from '../../src/decode/exact-numbers.ts'

test('parseExact and stringifyExact give the same text as JSON.stringify, with all digits', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      const compact = json.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (token) => (token.startsWith('"') ? token : ''))
      const keysMayMove = /"\d+":|"__proto__"/.test(json)
      const text = stringifyExact(parseExact(json))
      assert.deepEqual(JSON.parse(text), JSON.parse(json))
      if (!keysMayMove && !json.includes('\\')) assert.equal(text, compact)
    }),
    { numRuns: 2000 },
  )
})

test('strings with quotes, backslashes, brackets and digits are not mistaken for numbers', () => {
  for (const value of ['"1"', '\\', '\\"', '5"', '-1', ',2,', '{"a":3}', '\\\\"4', '1e5', '\u2028 6']) {
    assert.deepEqual(parseExact(JSON.stringify([value, { [value]: value }])), [value, { [value]: value }])
  }
})

test('a string of 250 KB with an escape in every other place does not exhaust the stack', () => {
  const value = '\\"'.repeat(125_000)
  assert.deepEqual(parseExact(`["${value}"]`), ['"'.repeat(125_000)])
})

test('only values marked by parseExact have exact digits', () => {
  const [marked] = parseExact('[1.50]') as [string]
  assert.equal(exactDigits(marked), '1.50')
  for (const text of ['', '1.50', '\0', '\u00001.50', `x${marked}`]) assert.equal(exactDigits(text), null)
})

test('a device cannot write the mark without knowing it', () => {
  assert.notEqual(exactDigits((parseExact('[1]') as [string])[0]), null)
  assert.deepEqual(parseExact('["\\u00001"]'), ['\u00001'])
  assert.equal(stringifyExact(['\u0000x:1']), '["\\u0000x:1"]')
})

test('the range of a double excludes numbers that would become infinite or zero', () => {
  for (const digits of ['0', '-0', '0.000', '0e999', '1e308', '-1.7976931348623157e308', '5e-324']) {
    assert.equal(inDoubleRange(digits), true, digits)
  }
  for (const digits of ['1e309', '-1e309', '1e-324', '0.1e-400', `${'9'.repeat(310)}`]) {
    assert.equal(inDoubleRange(digits), false, digits)
  }
})
