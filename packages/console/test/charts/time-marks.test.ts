import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { timeTexts } from '../../src/charts/axis-texts.ts'
import { timeMarks } from '../../src/charts/time-marks.ts'
import { wallTime } from '../../src/time/wall-time.ts'

const HOUR = 3_600
const DAY = 24 * HOUR
const seconds = (text: string) => Date.parse(text) / 1000
const walls = (zone: string, marks: readonly number[]) =>
  marks.map((mark) => wallTime(zone, mark * 1000).slice(5))

test('days are marked after a clock change of half an hour', () => {
  const zone = 'Australia/Lord_Howe'
  const range = [seconds('2026-04-03T12:00:00Z'), seconds('2026-04-06T12:00:00Z')] as const
  const marks = timeMarks(zone, range, 12 * HOUR)
  assert.deepEqual(walls(zone, marks), [
    '04-04T00:00',
    '04-04T12:00',
    '04-05T00:00',
    '04-05T12:00',
    '04-06T00:00',
    '04-06T12:00',
  ])
  assert.deepEqual(timeTexts(zone, marks, 12 * HOUR), ['4 Apr', '12:00', '5 Apr', '12:00', '6 Apr', '12:00'])
})

test('a day whose midnight is skipped begins at 01:00, and a day with two midnights is marked once', () => {
  const lost = [seconds('2023-04-27T20:00:00Z'), seconds('2023-04-28T12:00:00Z')] as const
  assert.deepEqual(walls('Africa/Cairo', timeMarks('Africa/Cairo', lost, 6 * HOUR)), [
    '04-28T01:00',
    '04-28T06:00',
    '04-28T12:00',
  ])
  assert.deepEqual(
    timeTexts('Africa/Cairo', timeMarks('Africa/Cairo', [lost[0] - HOUR * 6, lost[1]], 6 * HOUR), 6 * HOUR),
    ['18:00', '28 Apr', '06:00', '12:00'],
  )
  const twice = [seconds('2026-10-31T20:00:00Z'), seconds('2026-11-01T18:00:00Z')] as const
  assert.deepEqual(walls('America/Havana', timeMarks('America/Havana', twice, 6 * HOUR)), [
    '10-31T18:00',
    '11-01T00:00',
    '11-01T06:00',
    '11-01T12:00',
  ])
})

test('months and years are marked at their beginning', () => {
  const range = [seconds('2026-01-15T00:00:00Z'), seconds('2027-02-01T12:00:00Z')] as const
  assert.deepEqual(walls('Europe/Berlin', timeMarks('Europe/Berlin', range, 90 * DAY)), [
    '04-01T00:00',
    '07-01T00:00',
    '10-01T00:00',
    '01-01T00:00',
  ])
  assert.deepEqual(walls('UTC', timeMarks('UTC', range, 365 * DAY)), ['01-01T00:00'])
})

test('in every zone at any time: marks ascend, lie within the range, and each day that begins in it has one', () => {
  const zones = Intl.supportedValuesOf('timeZone')
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: seconds('2000-01-01T00:00:00Z') / 60, max: seconds('2037-01-01T00:00:00Z') / 60 }),
      fc.constantFrom(0.5, 1, 2, 3, 4, 6, 8, 12, 24),
      (zone, minute, hours) => {
        const [from, step] = [minute * 60, hours * HOUR]
        const to = from + Math.max(40 * step, 3 * DAY)
        const marks = timeMarks(zone, [from, to], step)
        assert.deepEqual(
          marks,
          [...new Set(marks)].sort((a, b) => a - b),
        )
        assert.ok(marks.every((mark) => mark >= from && mark <= to))
        const dayOf = (at: number) => wallTime(zone, at * 1000).slice(0, 10)
        const texts = timeTexts(zone, marks, step)
        // A day begins where the date changes; its mark may be at most a quarter of an hour late.
        const days = new Set(Array.from({ length: (to - from) / 900 }, (_, n) => dayOf(from + n * 900)))
        const whole = [...days].slice(1)
        for (const day of whole)
          assert.ok(
            marks.some((mark) => dayOf(mark) === day),
            `${zone} ${day} has a mark`,
          )
        const named = texts.filter((text) => /[A-Z]/.test(text))
        assert.ok(named.length >= whole.length, `${zone}: ${named.join(', ')} name ${whole.join(', ')}`)
      },
    ),
    { numRuns: 60 },
  )
})
