import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceBudgets } from '../../src/pipeline/device-budgets.ts'

const budgets = () => new DeviceBudgets({ messages: 10, bytes: 1_000, events: 100, rejections: 5 })

test('a device may spend the budget of one second at once, and pays the excess at the rate of its budget', () => {
  const all = budgets()
  assert.equal(all.charge('a', { messages: 10, bytes: 1_000, events: 100, rejections: 5 }, 0), 0)
  assert.equal(all.charge('a', { messages: 5 }, 0), 500)
  assert.equal(all.charge('a', {}, 500), 0)
  assert.equal(all.charge('a', { rejections: 4 }, 500), 300, 'the kind with the largest debt counts')
})

test('a debt is one second at most, so that a slowed device recovers soon', () => {
  const all = budgets()
  assert.equal(all.charge('a', { bytes: 1e9 }, 0), 1_000)
  assert.equal(all.charge('a', { bytes: 1_000 }, 2_000), 0)
})

test('a device that stays within its budget for an hour is never slowed and never named', () => {
  const all = budgets()
  for (let ms = 0; ms < 3_600_000; ms += 100) {
    assert.equal(all.charge('a', { messages: 1, bytes: 100, events: 10, rejections: 0.5 }, ms), 0)
  }
  assert.deepEqual(all.over(3_600_000), [])
})

test('devices do not pay for each other, and a device over its budget is named for one minute', () => {
  const all = budgets()
  all.charge('flood', { messages: 1_000 }, 0)
  assert.equal(all.charge('honest', { messages: 1 }, 0), 0)
  assert.deepEqual(all.over(59_999), ['flood'])
  assert.deepEqual(all.over(60_000), [])
})

test('an endless stream of ids takes memory for ten thousand devices, and those in debt are kept while there is room', () => {
  const all = budgets()
  all.charge('flood', { messages: 1_000 }, 0)
  for (let n = 0; n < 30_000; n++) all.charge(`id-${n}`, { messages: 1 }, n)
  assert.deepEqual(all.over(30_000), ['flood'])
  for (let n = 0; n < 100_000; n++) all.charge(`other-${n}`, { messages: 1_000 }, 30_000)
  assert.ok(all.over(30_000).length <= 10_000)
})

test('ids of 64 KB take no more memory than short ones', () => {
  const all = budgets()
  const long = (n: number) => 'x'.repeat(65_000) + n
  all.charge(long(1), { messages: 20 }, 0)
  assert.ok(all.charge(long(2), {}, 0) > 0, 'they share the budget of their beginning')
  assert.deepEqual(
    all.over(0).map(({ length }) => length),
    [256],
  )
})
