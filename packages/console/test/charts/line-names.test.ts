import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chartsByUnit } from '../../src/charts/charts-by-unit.ts'
import { driftLine } from '../../src/charts/drift-line.ts'
import { namedLines } from '../../src/charts/named-lines.ts'
import { shortName } from '../../src/charts/short-name.ts'
import { unitChanges } from '../../src/charts/unit-changes.ts'

const line = (deviceId: string, eventType: string, unit: string | null, times: number[] = [1, 2]) => {
  const values = times.map(() => 20)
  return { deviceId, eventType, unit, times, mean: values, min: values, max: values, events: times.length }
}
const nameOf = (deviceId: string) => (deviceId === 'k' ? 'Kitchen' : deviceId)
const labels = (...lines: ReturnType<typeof line>[]) => namedLines(lines, nameOf).map(({ label }) => label)

test('a line is named by what distinguishes it from the others: device, type, unit', () => {
  assert.deepEqual(labels(line('k', 'temp', '°C')), ['Kitchen'])
  assert.deepEqual(labels(line('a', 'temp', '°C'), line('k', 'temp', '°C')), ['a', 'Kitchen'])
  assert.deepEqual(labels(line('k', 'humidity', '%'), line('k', 'temp', '°C')), ['humidity', 'temp'])
  assert.deepEqual(labels(line('k', 'temp', '°C'), line('k', 'temp', '°F'), line('a', 'temp', null)), [
    'Kitchen (°C)',
    'Kitchen (°F)',
    'a',
  ])
  const keys = namedLines([line('k', 'temp', '°C'), line('k', 'temp', null)], nameOf).map(({ key }) => key)
  assert.equal(new Set(keys).size, 2)
})

test('a change of unit is reported with its time', () => {
  const says = (...lines: ReturnType<typeof line>[]) =>
    unitChanges(lines, nameOf, (seconds) => `at ${seconds}`)
  assert.deepEqual(says(line('k', 'temp', '°C'), line('a', 'temp', '°F')), [])
  assert.deepEqual(says(line('k', 'temp', '°F', [5, 6]), line('k', 'temp', '°C', [1, 4])), [
    'Kitchen · temp was in °C until at 5, then in °F',
  ])
  assert.deepEqual(
    says(line('k', 'temp', null, [1, 2]), line('k', 'temp', '°C', [3]), line('k', 'temp', '°F', [4])),
    ['Kitchen · temp was without a unit until at 3, in °C until at 4, then in °F'],
  )
  assert.deepEqual(says(line('k', 'temp', '°C', [1, 5]), line('k', 'temp', '°F', [2, 6])), [
    'Kitchen · temp is sent in °C and in °F: each unit has its own line',
  ])
})

test('three units share a chart, two on a phone; more units have a chart each', () => {
  const units = (...all: (string | null)[]) => all.map((unit) => ({ unit }))
  assert.equal(chartsByUnit(units('°C', '%', null, '°C'), 1000).length, 1)
  assert.equal(chartsByUnit(units('°C', '%', 'hPa'), 340).length, 3)
  assert.deepEqual(chartsByUnit(units('°C', '%', 'hPa', 'V', '°C'), 1000), [
    units('°C', '°C'),
    units('%'),
    units('hPa'),
    units('V'),
  ])
})

test('drift has the unit that fits', () => {
  const unitOf = (...offset: number[]) =>
    driftLine({ from: '', to: '', bucketSeconds: 1, times: offset.map((_, n) => n), offset })?.unit
  assert.equal(unitOf(), undefined)
  assert.deepEqual(
    [[0], [0.012, -0.4], [-90], [600], [-7_200, 1], [200_000], [-20_000_000], [-1_790_000_000]].map((each) =>
      unitOf(...each),
    ),
    ['ms', 'ms', 's', 'min', 'h', 'days', 'days', 'years'],
  )
  const since1970 = driftLine({ from: '', to: '', bucketSeconds: 1, times: [0], offset: [-1_790_000_000] })
  assert.equal(Math.round(since1970?.mean[0] ?? 0), -57)
  assert.equal(since1970?.textOf?.(since1970.mean[0] ?? 0), '−57 y')
})

test('a long id keeps its beginning and its end', () => {
  assert.equal(shortName('kitchen'), 'kitchen')
  assert.equal(shortName(`greenhouse-${'x'.repeat(100)}-0017`), 'greenhouse-…xxxxxxxx-0017')
})
