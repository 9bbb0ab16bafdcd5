import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Unanswered, Window } from '../../src/source/window.ts'

test('a message settled first waits for those that arrived before it', () => {
  const pubacks: number[] = []
  const window = new Window((packetId) => pubacks.push(packetId))
  const [first, second, third] = [window.open(7), window.open(8), window.open(9)]
  third.settle()
  assert.deepEqual(pubacks, [])
  first.settle()
  assert.deepEqual(pubacks, [7])
  second.settle()
  assert.deepEqual(pubacks, [7, 8, 9])
})

test('whatever the order of settling, PUBACKs leave in the order of arrival, each as soon as possible', () => {
  const order = fc.integer({ min: 1, max: 200 }).chain((count) =>
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, index) => index),
      { minLength: count, maxLength: count },
    ),
  )
  fc.assert(
    fc.property(order, (settleOrder) => {
      const pubacks: number[] = []
      const window = new Window((packetId) => pubacks.push(packetId))
      const settles = settleOrder.map((_, index) => window.open(1000 + index))
      const settled = new Set<number>()
      for (const index of settleOrder) {
        settles[index]?.settle()
        settled.add(index)
        let due = 0
        while (settled.has(due)) due++
        assert.deepEqual(
          pubacks,
          Array.from({ length: due }, (_, at) => 1000 + at),
        )
      }
    }),
    { numRuns: 200 },
  )
})

test('many thousands pass while a few are open, with packet identifiers wrapping around', () => {
  const pubacks: number[] = []
  const window = new Window((packetId) => pubacks.push(packetId))
  const arrived: number[] = []
  let late: Unanswered | null = null
  for (let index = 0; index < 100_000; index++) {
    const packetId = 1 + (index % 65_535)
    arrived.push(packetId)
    const unanswered = window.open(packetId)
    if (index % 10 === 0) {
      late?.settle()
      late = unanswered
    } else unanswered.settle()
  }
  late?.settle()
  assert.deepEqual(pubacks, arrived)
})
