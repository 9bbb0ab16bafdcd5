import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numberText } from '../../src/charts/chart-line.ts'

test('numbers have few digits, large ones all digits before the point', () => {
  const texts: readonly (readonly [number | null, string])[] = [
    [null, '–'],
    [-0, '0'],
    [21.456789, '21.46'],
    [-0.0012345, '−0.001235'],
    [1_234.5678, '1,234.57'],
    [1_234_567.8, '1,234,568'],
    [1_234_567_890, '1,234,567,890'],
    [-999_999_999_999_999, '−999,999,999,999,999'],
    [1e15, '1 × 10¹⁵'],
    [-1.2345e20, '−1.23 × 10²⁰'],
    [0.000_012_34, '1.23 × 10⁻⁵'],
    [5e-324, '4.94 × 10⁻³²⁴'],
  ]
  for (const [value, text] of texts) assert.equal(numberText(value), text)
})
