import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { accepted, eventJson } from './decoding.ts'

const warningOf = (value: string) => accepted(eventJson({ value })).warning

test('a value that a double cannot hold is stored as the nearest one, with a warning', () => {
  const event = accepted(eventJson({ value: '12345678901234567890' }))
  assert.equal(event.valueNum, 12345678901234567000)
  assert.deepEqual(event.warning, {
    code: 'VALUE_ROUNDED',
    message:
      'Stored as 12345678901234567000: a double has no more digits. Send a number that needs all of them as a string',
  })
  for (const value of [
    '9007199254740993',
    '-0.12345678901234567890',
    '1.00000000000000000001',
    '1.23456789012345678e-200',
  ])
    assert.equal(warningOf(value)?.code, 'VALUE_ROUNDED', value)
})

test('a value that a double holds has no warning, however long it is written', () => {
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
  ])
    assert.equal(warningOf(value), null, value)
})

test('every double that JSON.stringify writes is stored as it was sent', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const event = accepted(eventJson({ value: JSON.stringify(value) }))
      assert.deepEqual([event.valueNum, event.warning], [value === 0 ? 0 : value, null])
    }),
  )
})
