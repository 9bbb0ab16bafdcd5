import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { AnswerWindow, type Slot } from '../../src/intake/answer-window.ts'

const slot = (packetId: number) => ({ packetId, qos: 1 as const, isSettled: false, refusal: null })

test('answers leave in the order of arrival, in whatever order messages are settled', () => {
  const check = (order: readonly number[]) => {
    const answered: number[] = []
    const window = new AnswerWindow(({ packetId }: Slot) => answered.push(packetId))
    const slots = order.map((_, index) => slot(index))
    for (const each of slots) window.add(each)
    for (const index of order) {
      const each = slots[index]
      if (each !== undefined) each.isSettled = true
      window.advance()
      const settled = slots.findIndex(({ isSettled }) => !isSettled)
      assert.equal(answered.length, settled < 0 ? slots.length : settled)
    }
    assert.deepEqual(
      answered,
      slots.map(({ packetId }) => packetId),
    )
    assert.equal(window.size, 0)
  }
  const orders = fc
    .integer({ min: 1, max: 40 })
    .chain((size) => fc.shuffledSubarray([...Array(size).keys()], { minLength: size }))
  fc.assert(fc.property(orders, check))
})

test('it stays small while the head is answered and the tail grows', () => {
  const window = new AnswerWindow(() => {})
  const slots = Array.from({ length: 10_000 }, (_, id) => slot(id))
  for (const [index, each] of slots.entries()) {
    window.add(each)
    const settled = slots[index - 10]
    if (settled !== undefined) settled.isSettled = true
    window.advance()
    assert.ok(window.size <= 10 + 1)
  }
})

test('an answered message is not kept in memory while others wait', async () => {
  const window = new AnswerWindow(() => {})
  const answered = ((each) => {
    window.add(each)
    window.add(slot(2))
    window.advance()
    return new WeakRef(each)
  })({ ...slot(1), isSettled: true })
  assert.equal(window.size, 1)
  // A WeakRef keeps its target until the end of the turn.
  await new Promise(setImmediate)
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  assert.equal(answered.deref(), undefined)
})

test('a closed window answers nothing', () => {
  const window = new AnswerWindow(() => assert.fail('an answer'))
  const only = { ...slot(1), isSettled: true }
  window.add(only)
  window.close()
  window.advance()
  assert.equal(window.size, 0)
})
