import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  exactDigits,
  inDoubleRange,
  mayLoseDigits,
  parseExact,
  stringifyExact,
} from '../../src/decode/exact-numbers.ts'

test('numbers of up to 15 digits and two digits of exponent are left to a double', () => {
  for (const json of ['1', '-1.5', '123456789012345', '0.1234567890123', '1e99', '1.5E-99', '[1,2,3]']) {
    assert.equal(mayLoseDigits(Buffer.from(json)), false, json)
  }
})

test('longer numbers are not, nor larger exponents, however they are written', () => {
  for (const json of [
    '1234567890123456',
    '-0.1234567890123456',
    '1e100',
    '1E+400',
    '1e-0400',
    '[0,12345678901234567]',
    '1.5e0000000000000009',
  ]) {
    for (const before of ['', ' ', '  ', '   ']) {
      assert.equal(mayLoseDigits(Buffer.from(before + json)), true, before + json)
    }
  }
})

test('the digits of ids and other texts are no numbers', () => {
  for (const text of ['8d4e567a-0000-4e123-8e999', '1234567890123456', '-1234567890123456', '4e567']) {
    for (const json of [`{"id":"${text}"}`, `["${text}"]`])
      assert.equal(mayLoseDigits(Buffer.from(json)), false, json)
  }
  assert.equal(mayLoseDigits(Buffer.from('{"id":"a","n":[1, -1234567890123456]}')), true)
})

test('a number of which mayLoseDigits says no is the same number as a double', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,16})?([eE][+-]?[0-9]{1,3})?$/)
  fc.assert(
    fc.property(digits, (number) => {
      if (mayLoseDigits(Buffer.from(number))) return
      const parsed = JSON.parse(number) as number
      // The shortest text of the double has the digits and the place of the point of the original.
      const plain = (text: string) => {
        const [, whole = '', fraction = '', exponent = '0'] =
          /^-?(\d+)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
        const all = (whole + fraction).replace(/^0+/, '')
        const significant = all.replace(/0+$/, '')
        return significant === ''
          ? '0'
          : `${significant}e${Number(exponent) - fraction.length + all.length - significant.length}`
      }
      assert.equal(plain(String(parsed)), plain(number))
    }),
    { numRuns: 5000 },
  )
})

test('every JSON text comes out of parseExact and stringifyExact as JSON.stringify has it, with its digits', () => {
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

test('texts with quotes, backslashes, brackets and digits are not taken for numbers', () => {
  for (const value of ['"1"', '\\', '\\"', '5"', '-1', ',2,', '{"a":3}', '\\\\"4', '1e5', '\u2028 6']) {
    assert.deepEqual(parseExact(JSON.stringify([value, { [value]: value }])), [value, { [value]: value }])
  }
})

test('a text of 250 KB with an escape at every other place does not exhaust the stack', () => {
  const value = '\\"'.repeat(125_000)
  assert.deepEqual(parseExact(`["${value}"]`), ['"'.repeat(125_000)])
})

test('only what parseExact marked has exact digits', () => {
  const [marked] = parseExact('[1.50]') as [string]
  assert.equal(exactDigits(marked), '1.50')
  for (const text of ['', '1.50', '\0', '\u00001.50', `x${marked}`]) assert.equal(exactDigits(text), null)
})

test('a device that learned nothing of the mark cannot write one', () => {
  assert.notEqual(exactDigits((parseExact('[1]') as [string])[0]), null)
  assert.deepEqual(parseExact('["\\u00001"]'), ['\u00001'])
  assert.equal(stringifyExact(['\u0000x:1']), '["\\u0000x:1"]')
})

test('the range of a double excludes what it would make infinite or zero', () => {
  for (const digits of ['0', '-0', '0.000', '0e999', '1e308', '-1.7976931348623157e308', '5e-324']) {
    assert.equal(inDoubleRange(digits), true, digits)
  }
  for (const digits of ['1e309', '-1e309', '1e-324', '0.1e-400', `${'9'.repeat(310)}`]) {
    assert.equal(inDoubleRange(digits), false, digits)
  }
})
