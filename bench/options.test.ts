import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from './flags.ts'
import { readOptions } from './options.ts'
import { GROWTH_ROWS, growthScenarios, SCENARIOS } from './scenarios.ts'

const namesOf = (...args: string[]) => readOptions(args)?.scenarios.map(({ name }) => name) ?? []

test('without options, the goals run and the scenarios they are compared with', () => {
  const names = namesOf()
  for (const name of ['single-events', 'original-single-events', 'copy-limit'])
    assert.ok(names.includes(name), name)
  assert.ok(!names.includes('telegraf-single-events'))
})

test('groups and single scenarios add up, in the order of the table', () => {
  assert.deepEqual(namesOf('--only', 'broker-limit', '--group', 'limits', '--only', 'single-events'), [
    'single-events',
    'copy-limit',
    'broker-limit',
  ])
})

test('--all runs all scenarios but growth', () => {
  assert.deepEqual(
    namesOf('--all'),
    SCENARIOS.map(({ name }) => name),
  )
})

test('a window is for floods: a lone event stays alone', () => {
  const courses = readOptions(['--window', '500'])?.scenarios.map(({ name, course }) => [name, course])
  const byName = Object.fromEntries(courses ?? [])
  assert.deepEqual(byName['single-events'], { kind: 'flood', windowEvents: 500 })
  assert.deepEqual(byName['lone-event'], { kind: 'flood', windowEvents: 1 })
})

test('every scenario that another is compared with exists, and names are unique', () => {
  const all = [...SCENARIOS, ...growthScenarios(GROWTH_ROWS.full)]
  const names = new Set(all.map(({ name }) => name))
  assert.equal(names.size, all.length)
  for (const { name, goals, comparedTo } of all) {
    const others = goals.flatMap((goal) => (goal.measure === 'ratio' ? [goal.to] : []))
    for (const other of [...others, ...comparedTo]) assert.ok(names.has(other), `${name}: ${other}`)
  }
})

test('every count is a whole number of messages', () => {
  for (const { name, events, eventsPerMessage } of SCENARIOS) {
    for (const counts of [events.full, events.quick]) {
      for (const count of Object.values(counts)) assert.equal(count % eventsPerMessage, 0, name)
    }
  }
})

for (const args of [
  ['--only', 'nothing'],
  ['--group', 'nothing'],
  ['--all', '--only', 'single-events'],
  ['--rounds', '0'],
  ['--rows', '5,1'],
  ['--rows', '1,,2'],
  ['--unknown'],
]) {
  test(`wrong usage: ${args.join(' ')}`, () => {
    assert.throws(() => readOptions(args), UsageError)
  })
}
