import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestPoint } from '../../src/charts/nearest-point.ts'

test('the nearest point of a line; at equal distances the later one', () => {
  const times = [10, 20.123456, 20.123457, 40]
  const nearest = [-5, 10, 14, 16, 20.123456, 20.123457, 30, 31, 99].map((time) => nearestPoint(times, time))
  assert.deepEqual(nearest, [0, 0, 0, 1, 1, 2, 2, 3, 3])
  assert.equal(nearestPoint([10, 20], 15), 1)
  assert.equal(nearestPoint([7], 100), 0)
  assert.equal(nearestPoint([], 1), null)
})
