import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameAsBefore } from '../../src/pipeline/same-as-before.ts'

test('the result for the latest argument is remembered, and computed anew for another one', () => {
  const asked: number[] = []
  const twice = sameAsBefore((number: number) => {
    asked.push(number)
    return 2 * number
  })
  assert.deepEqual([1, 1, 2, 2, 1].map(twice), [2, 2, 4, 4, 2])
  assert.deepEqual(asked, [1, 2, 1])
})
