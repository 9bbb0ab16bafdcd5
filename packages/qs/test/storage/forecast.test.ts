import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast } from '../../src/storage/forecast.ts'

const PACE = {
  ...{ eventsPerDay: 1_000_000, bytesPerRow: 300, bytesPerSealed: 20, otherBytesPerDay: 1_000_000 },
  ...{ rowsBytes: 3e9, sealAfterDays: 30 },
}

test('without sealing, each event costs its row for good', () => {
  const { bytesPerDay, laterBytesPerDay, days } = forecast({ ...PACE, sealAfterDays: null })
  assert.deepEqual([bytesPerDay, laterBytesPerDay, days(30.1e9)], [301e6, 301e6, 100])
})

test('with sealing, the table fills first, and then an event costs its part of a segment', () => {
  // 10 days of rows are there, so 20 are to come.
  const { bytesPerDay, laterBytesPerDay, days } = forecast(PACE)
  assert.deepEqual([bytesPerDay, laterBytesPerDay], [301e6, 21e6])
  assert.equal(days(3.01e9), 10)
  assert.equal(days(20 * 301e6 + 21e6 * 100), 120)
})

test('a table that holds its days grows no more', () => {
  const { bytesPerDay, days } = forecast({ ...PACE, rowsBytes: 12e9 })
  assert.deepEqual([bytesPerDay, days(21e9)], [21e6, 1_000])
})

test('where nothing arrives, the disk lasts for ever', () => {
  assert.equal(forecast({ ...PACE, eventsPerDay: 0, otherBytesPerDay: 0 }).days(1), Number.POSITIVE_INFINITY)
})
