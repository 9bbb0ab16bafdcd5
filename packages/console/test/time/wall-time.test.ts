import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantOf, wallTime } from '../../src/time/wall-time.ts'

test('local time becomes an instant and back, also around clock changes', () => {
  for (const zone of [
    'UTC',
    'Europe/Berlin',
    'America/Los_Angeles',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
  ]) {
    for (
      let ms = Date.parse('2026-01-01T00:00:00Z');
      ms < Date.parse('2027-01-01T00:00:00Z');
      ms += 95 * 60_000
    ) {
      const wall = wallTime(zone, ms)
      assert.equal(wallTime(zone, instantOf(zone, wall)), wall, `${zone} ${wall}`)
    }
  }
  assert.ok(Number.isNaN(instantOf('UTC', '')))
})
