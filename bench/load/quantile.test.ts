import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quantile } from './quantile.ts'

const HUNDRED = Array.from({ length: 100 }, (_, place) => place + 1)

test('a quantile is the value that the given share does not exceed', () => {
  assert.equal(quantile(HUNDRED, 0.5), 50)
  assert.equal(quantile(HUNDRED, 0.99), 99)
  assert.equal(quantile(HUNDRED, 1), 100)
})

test('p99.9 of less than a thousand is the worst one', () => {
  assert.equal(quantile(HUNDRED, 0.999), 100)
})

test('every quantile of a single value is that value', () => {
  for (const share of [0, 0.5, 0.999]) assert.equal(quantile([7], share), 7)
})

test('no values have no quantile', () => {
  assert.equal(quantile([], 0.5), null)
})
