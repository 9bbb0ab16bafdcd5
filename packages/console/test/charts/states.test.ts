import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  areStates,
  changesOfLine,
  isStateLine,
  spansOf,
  stateKind,
  stateValues,
} from '../../src/charts/states.ts'

const line = (values: readonly (readonly [min: number, max: number])[], unit: string | null = null) => ({
  ...{ deviceId: 'k', eventType: 'door', unit, events: values.length },
  times: values.map((_, n) => 100 * n),
  min: values.map(([min]) => min),
  max: values.map(([, max]) => max),
  mean: values.map(([min, max]) => (min + max) / 2),
})

test('zeros and ones without a unit are a state; other numbers are not', () => {
  assert.ok(
    isStateLine(
      line([
        [0, 0],
        [1, 1],
        [0, 1],
      ]),
    ),
  )
  assert.ok(
    !isStateLine(
      line(
        [
          [0, 0],
          [1, 1],
        ],
        'mm',
      ),
    ),
  )
  assert.ok(
    !isStateLine(
      line([
        [0, 0],
        [2, 2],
      ]),
    ),
  )
})

test('texts that recur are states; a log, one single text and long texts are not', () => {
  assert.ok(areStates(['open', 'closed', 'open']))
  assert.ok(!areStates(['power-on', 'power-on', 'power-on']))
  assert.ok(!areStates(['open', 'closed']))
  assert.ok(!areStates(Array.from({ length: 30 }, (_, n) => `line ${n % 20}`)))
  assert.ok(!areStates(['x'.repeat(25), 'y', 'y']))
  assert.ok(areStates(['heating up', 'off', 'off']))
  assert.ok(!areStates(['window is open', 'off', 'off']))
})

test('of a series without numbers in the range, the newest events say whether it is a state', () => {
  const texts = (...all: string[]) => all.map((valueText) => ({ valueText }))
  const number = (valueNum: number, unit: string | null = null) => ({ valueNum, unit })
  const kindOf = (latest: ReturnType<typeof number>) => stateKind({ texts: [], latest })
  assert.equal(stateKind({ texts: texts('open', 'closed', 'open'), latest: undefined }), 'texts')
  assert.equal(stateKind({ texts: texts('line 1', 'line 2', 'line 3'), latest: undefined }), null, 'a log')
  assert.equal(kindOf(number(1)), 'numbers', 'a switch')
  assert.equal(kindOf(number(21.5)), null, 'a number is no state bar of its last value')
  assert.equal(kindOf(number(1, '°C')), null)
  assert.equal(stateKind({ texts: [], latest: undefined }), null, 'there is no such series')
})

test('the values of all rows have one order, whichever was seen first', () => {
  assert.deepEqual(stateValues(['open', 'closed', 'open']), ['closed', 'open'])
  assert.deepEqual(stateValues(['closed', '0', 'open', '0 and 1', '1']), ['1', '0 and 1', 'closed', 'open'])
})

test('a state goes on until the next one, from before the range to its end', () => {
  const changes = [
    { time: 50, text: 'open' },
    { time: -10, text: 'closed' },
    { time: -500, text: 'open' },
    { time: 60, text: 'open' },
    { time: 80, text: 'closed' },
  ]
  assert.deepEqual(spansOf(changes, 0, 100), [
    { from: 0, to: 50, text: 'closed' },
    { from: 50, to: 80, text: 'open' },
    { from: 80, to: 100, text: 'closed' },
  ])
  assert.deepEqual(spansOf([], 0, 100), [])
})

test('after a bucket with both values nothing is known until the next one', () => {
  const changes = changesOfLine(
    line([
      [0, 0],
      [0, 1],
      [1, 1],
    ]),
    40,
  )
  assert.deepEqual(spansOf(changes, 0, 300), [
    { from: 0, to: 100, text: '0' },
    { from: 100, to: 140, text: '0 and 1' },
    { from: 200, to: 300, text: '1' },
  ])
})
