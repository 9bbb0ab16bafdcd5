import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timeTexts, valueTexts } from '../../src/charts/axis-texts.ts'

test('labels of a value axis differ from each other, with no more digits than that takes', () => {
  assert.deepEqual(valueTexts([0, 1]), ['0', '1'])
  assert.deepEqual(valueTexts([3.4445, 3.44475, 3.445]), ['3.44450', '3.44475', '3.44500'])
  assert.deepEqual(valueTexts([-80, -70, 0]), ['−80', '−70', '0'])
  assert.deepEqual(valueTexts([1000, 1500]), ['1,000', '1,500'])
  assert.deepEqual(valueTexts([0, 2e9]), ['0', '2,000,000,000'])
  assert.deepEqual(valueTexts([1e-9, 2e-9]), ['1 × 10⁻⁹', '2 × 10⁻⁹'])
  assert.deepEqual(valueTexts([1000.0000001, 1000.0000002]), ['1,000.0000001', '1,000.0000002'])
})

test('labels of a time axis are in the zone, with the date at the start of a day', () => {
  const midnight = Date.parse('2026-07-01T22:00:00Z') / 1000
  assert.deepEqual(timeTexts('Europe/Berlin', [midnight - 1800, midnight], 1800), ['23:30', '2 Jul'])
  assert.deepEqual(timeTexts('UTC', [midnight], 86_400 * 30), ['Jul 2026'])
})

test('labels of very small, very large or very close values differ too', () => {
  for (const values of [
    [1e-9, 2e-9, 3e-9],
    [1e300, 1.5e300, 2e300],
    [1000.0000001, 1000.0000002],
    [-1e12, -1e12 + 1],
    [-0, 5e-324],
  ])
    assert.equal(new Set(valueTexts(values)).size, values.length, valueTexts(values).join(' '))
  assert.deepEqual(valueTexts([-0, 1]), ['0', '1'])
})
