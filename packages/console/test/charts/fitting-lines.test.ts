import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fittingLines, MAX_LINES } from '../../src/charts/fitting-lines.ts'

const names = (count: number) => Array.from({ length: count }, (_, n) => `n${n}`)

test('a choice of too many lines is cut to what a chart shows, and the rest is counted', () => {
  const sizes = (devices: number, types: number) => {
    const fitting = fittingLines(names(devices), names(types))
    assert.ok(fitting.devices.length * fitting.types.length <= MAX_LINES)
    return [fitting.devices.length, fitting.types.length, fitting.left]
  }
  assert.deepEqual(sizes(0, 3), [0, 3, 0])
  assert.deepEqual(sizes(50, 1), [50, 1, 0])
  assert.deepEqual(sizes(50, 2), [25, 2, 50], 'a room with two types')
  assert.deepEqual(sizes(7, 8), [6, 8, 8])
  assert.deepEqual(sizes(2, 60), [1, 50, 70])
  assert.deepEqual(fittingLines(names(51), ['t']).devices.at(-1), 'n49', 'the first ones stay')
})
