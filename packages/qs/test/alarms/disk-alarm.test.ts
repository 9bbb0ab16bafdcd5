import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diskAlarm } from '../../src/alarms/disk-alarm.ts'

const HOUR_MS = 3_600_000
const GB = 1e9

/** An alarm of a disk, of 100 GB by default; `at` reads it after so many hours, with so much free. */
function disk(totalGb = 100) {
  let freeBytes: number | null = 0
  let hours = 0
  const alarm = diskAlarm(
    () => (freeBytes === null ? null : { freeBytes, totalBytes: totalGb * GB }),
    () => Date.UTC(2026, 10, 1) + hours * HOUR_MS,
  )
  return (after: number, free: number | null) => {
    hours = after
    freeBytes = free === null ? null : free * GB
    return alarm.check(after * HOUR_MS)
  }
}

test('the alarm names the date on which the disk will be full, a month before', () => {
  const at = disk()
  // A gigabyte a day from 80 GB on.
  for (let hour = 0; hour < 24 * 50; hour++) assert.equal(at(hour, 80 - hour / 24), null)
  assert.match(
    at(24 * 51, 29) ?? '',
    /^29\.0 GB of 100\.0 GB are free, and at the rate of the last days the disk is full on 2027-01-20\./,
  )
})

test('growth is judged over six hours at least, and a disk that empties is no alarm', () => {
  const at = disk()
  assert.equal(at(0, 50), null)
  assert.equal(at(5, 20), null)
  assert.match(at(7, 20) ?? '', /full on 2026-11-01/)
  assert.equal(at(8, 60), null)
})

test('little space is an alarm however slowly it shrinks, and unknown space is none', () => {
  const at = disk()
  assert.match(at(0, 4) ?? '', /^4\.0 GB of 100\.0 GB are free\. PostgreSQL stops/)
  assert.match(at(0.01, 90) ?? '', /^4\.0 GB/, 'it is read once a minute')
  assert.equal(at(1, null), null)
})

test('a twentieth of a large disk is plenty, ten gigabytes are not', () => {
  const at = disk(4_000)
  assert.equal(at(0, 150), null)
  assert.match(at(1, 9) ?? '', /^9\.0 GB of 4000\.0 GB are free/)
})
