import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Found } from '../../src/alerts/conditions.ts'
import { type AlertState, judge } from '../../src/alerts/judge.ts'
import { DEFAULT_RULE, type Rule } from '../../src/alerts/rule.ts'

const RULE: Rule = {
  ...DEFAULT_RULE,
  name: 'r',
  kind: 'value',
  above: 30,
  forSeconds: 60,
  remindSeconds: 3600,
}
const HOT: Found = { deviceId: 'kitchen', eventType: 'temp', value: 31, message: 'kitchen is hot' }

/** Runs through moments (seconds, what is found then) and keeps the states as the database does. @returns what was said when */
function run(
  rule: Rule,
  moments: readonly (readonly [seconds: number, found: readonly Found[], rule?: Partial<Rule>])[],
) {
  let states: readonly AlertState[] = []
  const said: string[] = []
  for (const [seconds, found, other] of moments) {
    const { changed, gone, news } = judge({ ...rule, ...other }, { found, states }, seconds * 1000)
    const isChanged = (state: AlertState) =>
      [...changed, ...gone].some((each) => each.deviceId === state.deviceId)
    states = [...states.filter((state) => !isChanged(state)), ...changed]
    for (const { change, isTold } of news) said.push(`${seconds} ${change}${isTold ? '' : ' untold'}`)
  }
  return said
}

test('an alert fires once after its time, and ends once', () => {
  const moments = [0, 15, 30, 45, 60, 75, 600].map((seconds) => [seconds, [HOT]] as const)
  assert.deepEqual(run(RULE, [...moments, [615, []], [630, []]]), ['60 firing', '615 ended'])
})

test('what ends before its time was nothing', () => {
  assert.deepEqual(
    run(RULE, [
      [0, [HOT]],
      [45, [HOT]],
      [59, []],
      [61, [HOT]],
      [100, [HOT]],
    ]),
    [],
  )
})

test('it reminds after the time of the rule, and never without one', () => {
  const moments = [0, 60, 3_000, 3_660, 7_000, 7_260].map((seconds) => [seconds, [HOT]] as const)
  assert.deepEqual(run(RULE, moments), ['60 firing', '3660 reminder', '7260 reminder'])
  assert.deepEqual(run({ ...RULE, remindSeconds: null }, moments), ['60 firing'])
})

test('a muted rule tells nothing; what still lasts afterwards is told then, and what is over by then never', () => {
  const muted = { mutedUntil: new Date(1_000_000).toISOString() }
  const lasting = [0, 60, 900, 1_000, 1_100].map((seconds) => [seconds, [HOT], muted] as const)
  assert.deepEqual(run(RULE, [...lasting, [1_200, [], muted]]), [
    '60 firing untold',
    '1000 reminder',
    '1200 ended',
  ])
  assert.deepEqual(
    run(RULE, [
      [0, [HOT], muted],
      [60, [HOT], muted],
      [900, [], muted],
    ]),
    ['60 firing untold', '900 ended untold'],
  )
})

test('a device that is silent with all others is held, and has one period to follow them', () => {
  const rule: Rule = { ...RULE, kind: 'device-silent' }
  const held: Found = { ...HOT, isHeld: true, graceSeconds: 300 }
  const own: Found = { ...HOT, isHeld: false, graceSeconds: 300 }
  assert.deepEqual(
    run(rule, [
      [0, [held]],
      [3_600, [held]],
      [3_700, [own]],
      [4_059, [own]],
      [4_060, [own]],
      [4_100, []],
    ]),
    ['4060 firing', '4100 ended'],
  )
  assert.deepEqual(
    run(rule, [
      [0, [held]],
      [3_700, [own]],
      [3_800, []],
    ]),
    [],
    'it followed',
  )
  assert.deepEqual(
    run(rule, [
      [0, [own]],
      [60, [own]],
      [90, [held]],
      [200, [own]],
    ]),
    ['60 firing'],
    'what has fired stays',
  )
})
