import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, eventJson, refused } from '@qs-telemetry/testing/decoding.ts'
import fc from 'fast-check'

const warningOf = (value: string) => accepted(eventJson({ value })).warning

test('a value that a double cannot represent is stored as the nearest double, with a warning', () => {
  const event = accepted(eventJson({ value: '12345678901234567890' }))
  assert.equal(event.valueNum, 12345678901234567000)
  assert.deepEqual(event.warning, {
    code: 'VALUE_ROUNDED',
    message:
      'Stored as 12345678901234567000, the nearest double. To keep all digits, send the number as a string',
  })
  for (const value of [
    '9007199254740993',
    '-0.12345678901234567890',
    '1.00000000000000000001',
    '1.23456789012345678e-200',
  ])
    assert.equal(warningOf(value)?.code, 'VALUE_ROUNDED', value)
})

test('a value that a double can represent gets no warning, however long it is written', () => {
  for (const value of [
    '0.30000000000000004',
    '21.299999237060547',
    '9007199254740992',
    '1.50000000000000000000000',
    '0.00000000000000000000',
    '-0.0000000000000000',
    '15000000000000000000000000e-25',
    '1E+100',
    '-1.7976931348623157e308',
    '5e-324',
    '0.10000000000000001',
    '0.1000000000000000055511151231257827021181583404541015625',
  ])
    assert.equal(warningOf(value), null, value)
})

test('every double is stored as sent, however many digits printf writes', () => {
  const double = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(
    fc.property(double, fc.integer({ min: 17, max: 100 }), (value, places) => {
      assert.equal(warningOf(value.toPrecision(places)), null)
    }),
  )
})

test('every double written by JSON.stringify is stored as sent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const event = accepted(eventJson({ value: JSON.stringify(value) }))
      assert.deepEqual([event.valueNum, event.warning], [value === 0 ? 0 : value, null])
    }),
  )
})

test('a number that a double cannot represent is kept exactly, with the same text for every spelling', () => {
  for (const [exact, ...spellings] of [
    [
      '9007199254740993',
      '9007199254740993',
      '9007199254740993.000',
      '9007199254740993e0',
      '0.9007199254740993E16',
    ],
    ['12345678901234567890', '12345678901234567890', '1234567890123456789e1'],
    ['-12345678901234567.89', '-12345678901234567.89', '-1234567890123456789e-2', '-12345678901234567.890'],
    ['0.00012345678901234567891', '1.2345678901234567891e-4', '0.00012345678901234567891000'],
    ['12345678901234567891e-224', '1.2345678901234567891e-205'],
    ['123456789012345678911e80', '1.23456789012345678911E+100'],
  ])
    for (const spelling of spellings)
      assert.equal(accepted(eventJson({ value: spelling })).valueExact, exact, spelling)
  for (const value of [
    '1.0',
    '1.00',
    '1e0',
    '9007199254740992',
    '-0.0',
    'null',
    'true',
    '"9007199254740993"',
  ])
    assert.equal(accepted(eventJson({ value })).valueExact, null, value)
})

test('the kept text of a number has the same double and the same digits', () => {
  const sign = fc.constantFrom('', '-')
  const digits = fc.stringMatching(/^[1-9][0-9]{16,30}$/)
  fc.assert(
    fc.property(sign, digits, fc.integer({ min: -250, max: 250 }), (minus, whole, exponent) => {
      const { valueNum, valueExact } = accepted(eventJson({ value: `${minus}${whole}e${exponent}` }))
      if (valueExact === null) return
      assert.equal(Number(valueExact), valueNum)
      assert.equal(accepted(eventJson({ value: valueExact })).valueExact, valueExact)
    }),
  )
})

test('a number of a quarter of a megabyte takes no time, and is rejected if all its digits count', () => {
  const zeros = '0'.repeat(250_000)
  assert.equal(accepted(eventJson({ value: `1.5${zeros}` })).valueExact, null)
  // With a regular expression for the trailing zeros this took a minute and a half.
  assert.equal(refused(eventJson({ value: `1${zeros}1e-250000` })).code, 'FIELD_TOO_LONG')
})
