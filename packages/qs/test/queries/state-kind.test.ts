import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areStates, stateKind } from '../../src/console/queries/state-kind.ts'

test('recurring texts are states; a log, a single text and long texts are not', () => {
  assert.ok(areStates(['open', 'closed', 'open']))
  assert.ok(!areStates(['power-on', 'power-on', 'power-on']))
  assert.ok(!areStates(['open', 'closed']))
  assert.ok(!areStates(Array.from({ length: 30 }, (_, n) => `line ${n % 20}`)))
  assert.ok(!areStates(['x'.repeat(25), 'y', 'y']))
  assert.ok(areStates(['heating up', 'off', 'off']))
  assert.ok(!areStates(['window is open', 'off', 'off']))
})

test('the newest events of a series decide whether it is a state', () => {
  const texts = (...all: string[]) => all.map((valueText) => ({ valueText, valueNum: null, unit: null }))
  const numbers = (unit: string | null, ...all: number[]) =>
    all.map((valueNum) => ({ valueNum, valueText: null, unit }))
  assert.equal(stateKind(texts('open', 'closed', 'open')), 'texts')
  assert.equal(stateKind(texts('line 1', 'line 2', 'line 3')), null, 'a log')
  assert.equal(stateKind(numbers(null, 1, 0)), 'numbers', 'a switch')
  assert.equal(stateKind(numbers(null, 21.5, 1)), null, 'not only zeros and ones')
  assert.equal(stateKind(numbers('°C', 1, 0)), null)
  assert.equal(stateKind([...numbers(null, 1), ...texts('a log line')]), null)
  assert.equal(stateKind([]), null, 'no events')
})
