import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSilence } from '../../src/charts/is-silence.ts'
import { columnsOf } from '../../src/charts/line-columns.ts'
import { CHART_CASES } from '../support/chart-cases.ts'

const silences = (times: readonly number[]) =>
  times.flatMap((time, index) => (index > 0 && isSilence(times, index) ? [[times[index - 1], time]] : []))

for (const { name, times, gaps } of CHART_CASES)
  test(`silences of: ${name}`, () => assert.deepEqual(silences(times), gaps))

test('an outage of a regular sensor is a silence, even if it recurs now and then', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3_600 }),
      fc.integer({ min: 60, max: 100 }),
      fc.integer({ min: 5, max: 14 }),
      (step, run, missing) => {
        const times = Array.from({ length: run * 5 }, (_, index) => {
          const outages = Math.floor(index / run)
          return (index + outages * missing) * step
        })
        assert.equal(silences(times).length, 4)
        assert.equal(silences(times.slice(0, run)).length, 0)
      },
    ),
  )
})

test('a night without reports is a silence when it happens once, and a rhythm over several days', () => {
  const day = (n: number) => Array.from({ length: 192 }, (_, index) => n * 86_400 + index * 300)
  const nights = (days: number) => silences(Array.from({ length: days }, (_, n) => day(n)).flat()).length
  assert.equal(nights(2), 1)
  assert.equal(nights(7), 0)
})

test('a line keeps all of its points in order, even several at the same moment', () => {
  const columns = columnsOf({
    ...{ key: '', label: '', style: 0, unit: null },
    times: [1_772_000_000, 1_772_000_000, 1_772_000_000, 1_772_000_001],
    mean: [1, 2, 3, 4],
  })
  assert.equal(new Set(columns[0]).size, 4)
  assert.deepEqual(columns[1], [1, 2, 3, 4])
  assert.deepEqual(
    columns[0],
    [...columns[0]].sort((a, b) => a - b),
  )
})
