import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forecast } from '../../src/storage/forecast.ts'

const PACE = {
  ...{ eventsPerDay: 1_000_000, bytesPerRow: 300, bytesPerSealed: 20, otherBytesPerDay: 1_000_000 },
  ...{ rowsBytes: 3e9, sealAfterDays: 30, keepDays: null, sealedEvents: 0 },
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

test('a kept time ends the growth: rows fill it, then segments, then as many events go as come', () => {
  const kept = { ...PACE, keepDays: 130, otherBytesPerDay: 0 }
  const { bytesPerDay, laterBytesPerDay, days, bytesAfter } = forecast(kept)
  const full = 20 * 300e6 + 100 * 20e6
  assert.deepEqual([bytesPerDay, laterBytesPerDay, bytesAfter(20), bytesAfter(365)], [300e6, 0, 6e9, full])
  assert.deepEqual([days(6e9), days(full - 20e6), days(full + 1)], [20, 119, Number.POSITIVE_INFINITY])
  assert.equal(forecast({ ...kept, sealedEvents: 40e6 }).bytesAfter(365), full - 40e6 * 20)
})

test('events that are deleted before they would be sealed cost their row for the kept time', () => {
  for (const sealAfterDays of [30, null]) {
    const { bytesPerDay, bytesAfter, days } = forecast({ ...PACE, sealAfterDays, keepDays: 15 })
    assert.deepEqual([bytesPerDay, bytesAfter(25)], [301e6, 5 * 301e6 + 20 * 1e6])
    assert.equal(days(5 * 301e6 + 300e6), 305)
  }
})

test('where nothing arrives, the disk lasts for ever', () => {
  assert.equal(forecast({ ...PACE, eventsPerDay: 0, otherBytesPerDay: 0 }).days(1), Number.POSITIVE_INFINITY)
})
