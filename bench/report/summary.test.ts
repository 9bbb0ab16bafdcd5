import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Measures, Run } from '../runs/measures.ts'
import type { Goal, Scenario } from '../scenario.ts'
import { SCENARIOS } from '../scenarios.ts'
import { median, spreadOf } from './median.ts'
import { summarise } from './summary.ts'

const named = (name: string, goals: readonly Goal[] = [], comparedTo: readonly string[] = []): Scenario => ({
  ...(SCENARIOS[0] as Scenario),
  name,
  goals,
  comparedTo,
})

const run = (
  scenario: string,
  round: number,
  eventsPerSecond: number | null,
  more: Partial<Measures> = {},
): Run => ({
  scenario,
  round,
  faults: eventsPerSecond === null ? ['a row is missing'] : [],
  measures:
    eventsPerSecond === null
      ? null
      : {
          seconds: 1,
          eventsPerSecond,
          p50Ms: null,
          p99Ms: null,
          p999Ms: null,
          readySeconds: null,
          peakMemoryMb: null,
          othersCores: null,
          cpuSecondsPerMillion: { subject: null, mosquitto: null, postgres: null, publisher: null },
          ...more,
        },
})

test('a median is the middle value, or lies between the two in the middle', () => {
  assert.equal(median([9, 1, 10]), 9)
  assert.equal(median([1, 2, 10, 4]), 3)
  assert.equal(median([]), null)
})

test('a spread ignores missing values', () => {
  assert.deepEqual(spreadOf([3, null, 1, undefined, 2]), { median: 2, least: 1, most: 3 })
  assert.equal(spreadOf([null]), null)
})

test('a ratio is computed in each round, and the median counts', () => {
  const scenarios = [named('fast', [], ['slow']), named('slow')]
  // In the second round the machine was busy for both.
  const runs = [
    ...[run('fast', 1, 100), run('slow', 1, 10)],
    ...[run('fast', 2, 30), run('slow', 2, 3)],
    ...[run('fast', 3, 110), run('slow', 3, 10)],
  ]
  const [fast] = summarise({ scenarios, runs })
  assert.deepEqual(fast?.ratios, [{ to: 'slow', value: { median: 10, least: 10, most: 11 } }])
  assert.deepEqual(fast?.rate, { median: 100, least: 30, most: 110 })
})

test('a round in which the other scenario failed gives no ratio', () => {
  const scenarios = [named('fast', [], ['slow']), named('slow')]
  const runs = [run('fast', 1, 100), run('slow', 1, null), run('fast', 2, 100), run('slow', 2, 20)]
  assert.deepEqual(summarise({ scenarios, runs })[0]?.ratios[0]?.value, { median: 5, least: 5, most: 5 })
})

const verdicts = (goals: readonly Goal[], runs: readonly Run[]) =>
  summarise({ scenarios: [named('fast', goals), named('slow')], runs })[0]?.goals.map(({ isMet }) => isMet)

test('goals are judged by the median', () => {
  const goals: readonly Goal[] = [
    { measure: 'eventsPerSecond', atLeast: 100 },
    { measure: 'eventsPerSecond', atLeast: 101 },
    { measure: 'p99Ms', below: 15 },
    { measure: 'p99Ms', below: 14 },
    { measure: 'ratio', to: 'slow', atLeast: 5 },
    { measure: 'ratio', to: 'slow', atLeast: 6 },
  ]
  const runs = [run('fast', 1, 100, { p99Ms: 14 }), run('slow', 1, 20)]
  assert.deepEqual(verdicts(goals, runs), [true, false, true, false, true, false])
})

test('a goal relative to a scenario that did not run is not judged', () => {
  assert.deepEqual(verdicts([{ measure: 'ratio', to: 'slow', atLeast: 5 }], [run('fast', 1, 100)]), [null])
})

test('a scenario that failed in one round misses its goals', () => {
  const runs = [run('fast', 1, 100), run('fast', 2, null)]
  assert.deepEqual(verdicts([{ measure: 'eventsPerSecond', atLeast: 100 }], runs), [false])
})
