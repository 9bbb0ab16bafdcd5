import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countKeys } from '../../src/decode/repeated-keys.ts'
import { scanJson } from '../../src/decode/scan-json.ts'

const mayLoseDigits = (json: string) => scanJson(Buffer.from(json)).mayLoseDigits

test('numbers of up to 15 digits and two digits of exponent are left to a double', () => {
  for (const json of ['1', '-1.5', '123456789012345', '0.1234567890123', '1e99', '1.5E-99', '[1,2,3]']) {
    assert.equal(mayLoseDigits(json), false, json)
  }
})

test('longer numbers and larger exponents are not, however they are written', () => {
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
      assert.equal(mayLoseDigits(before + json), true, before + json)
    }
  }
})

test('digits of ids and other strings are not numbers', () => {
  for (const text of ['8d4e567a-0000-4e123-8e999', '1234567890123456', '-1234567890123456', '4e567']) {
    for (const json of [`{"id":"${text}"}`, `["${text}"]`]) assert.equal(mayLoseDigits(json), false, json)
  }
  assert.equal(mayLoseDigits('{"id":"a","n":[1, -1234567890123456]}'), true)
})

test('a number for which mayLoseDigits is false is the same as a double', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,16})?([eE][+-]?[0-9]{1,3})?$/)
  fc.assert(
    fc.property(digits, (number) => {
      if (mayLoseDigits(number)) return
      const parsed = JSON.parse(number) as number
      // The shortest text of the double has the same digits and decimal point as the original.
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

test('each key counts, at any offset and with any white space around it', () => {
  for (const before of ['', ' ', '  ', '1.25,', '1234,', '"ä",']) {
    for (const after of ['', ' ', '\t ', '\r\n \t']) {
      for (const key of ['', 'a', 'ab', '1', '12', '\\"', 'ä']) {
        const json = `[${before}{"${key}"${after}:1,"b"${after}:${after}"c","d":[{"e":{}}]}]`
        assert.equal(scanJson(Buffer.from(json)).keys, countKeys(JSON.parse(json)), json)
      }
    }
  }
})

test('no key of a JSON text is missed', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, 2, '\t'), (json, space) => {
      const parsed: unknown = JSON.parse(json)
      const text = JSON.stringify(parsed, null, space)
      assert.ok(scanJson(Buffer.from(text)).keys >= countKeys(parsed), text)
    }),
    { numRuns: 2000 },
  )
})
