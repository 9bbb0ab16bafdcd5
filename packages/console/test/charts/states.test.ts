import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateRows } from '../../src/charts/state-rows.ts'
import { changesOfLine, isStateLine, spansOf, stateValues } from '../../src/charts/states.ts'

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

test('the values of all rows have a fixed order, whichever came first', () => {
  assert.deepEqual(stateValues(['open', 'closed', 'open']), ['closed', 'open'])
  assert.deepEqual(stateValues(['closed', '0', 'open', '0 and 1', '1']), ['1', '0 and 1', 'closed', 'open'])
})

test('a state lasts until the next one, from before the range to its end', () => {
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

test('after a bucket with both values the state is unknown until the next bucket', () => {
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

test('a row for each state: of zeros and ones, of texts, or continuing from before the range', () => {
  const state = (
    eventType: string,
    kind: 'texts' | 'numbers',
    times: number[],
    texts: (string | null)[],
  ) => ({
    ...{ deviceId: 'k', eventType, kind, times, texts },
  })
  const answers = {
    lines: [
      line([[1, 1]]),
      { ...line([[20, 21]]), eventType: 'temp' },
      { ...line([[3, 3]]), eventType: 'was a switch' },
    ],
    bucketSeconds: null,
    states: [
      state('window', 'texts', [-5, 50, 60], ['open', 'closed', null]),
      state('lamp', 'numbers', [-9], ['1']),
      state('was a switch', 'numbers', [-9], ['1']),
      state('door', 'numbers', [-3], ['0']),
      state('never', 'texts', [], []),
    ],
  }
  const rows = stateRows(answers, { fromMs: -1_000, toMs: 100_000, labelOf: ({ eventType }) => eventType })
  assert.deepEqual(
    rows.map(({ label, spans }) => [label, ...spans.map(({ from, to, text }) => `${from} ${to} ${text}`)]),
    [
      ['door', '-1 0 0', '0 100 1'],
      ['lamp', '-1 100 1'],
      ['window', '-1 50 open', '50 60 closed'],
    ],
  )
})
