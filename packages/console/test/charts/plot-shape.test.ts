import assert from 'node:assert/strict'
import { test } from 'node:test'
import { driftLine } from '../../src/charts/drift-line.ts'
import { plotShape } from '../../src/charts/plot-shape.ts'

test('a line with another unit or with a spread needs a new plot; new numbers do not', () => {
  const drift = (offset: number) =>
    driftLine({ from: '', to: '', bucketSeconds: 1, times: [0], offset: [offset] })
  const [years, more, milliseconds] = [drift(-1_790_000_000), drift(-1_780_000_000), drift(-0.4)]
  assert.ok(years && more && milliseconds)
  assert.equal(plotShape([years]), plotShape([more]))
  assert.notEqual(plotShape([years]), plotShape([milliseconds]), 'its axis has another unit')

  const raw = { key: 'k', label: 'k', style: 0, unit: '°C', times: [1], mean: [20], min: [20], max: [20] }
  const spread = { ...raw, min: [19] }
  assert.notEqual(plotShape([raw]), plotShape([spread]), 'it has a band')
})
