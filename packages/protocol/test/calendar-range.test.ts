import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CalendarRange, calendarRange } from '../src/index.ts'

const at = (range: CalendarRange, zone: string, now: string) => {
  const { from, to } = calendarRange(range, zone, Date.parse(now))
  return `${from} ${to}`
}

test('a calendar range is whole days in its zone', () => {
  const now = '2026-11-28T03:00:00.123Z'
  for (const [range, zone, expected] of [
    ['today', 'UTC', '2026-11-28T00:00:00Z 2026-11-29T00:00:00Z'],
    ['today', 'America/Los_Angeles', '2026-11-27T08:00:00Z 2026-11-28T08:00:00Z'],
    ['yesterday', 'Asia/Kolkata', '2026-11-26T18:30:00Z 2026-11-27T18:30:00Z'],
    ['this-week', 'Europe/Berlin', '2026-11-22T23:00:00Z 2026-11-29T23:00:00Z'],
    ['last-week', 'UTC', '2026-11-16T00:00:00Z 2026-11-23T00:00:00Z'],
    ['this-month', 'UTC', '2026-11-01T00:00:00Z 2026-12-01T00:00:00Z'],
    // It is an hour longer, because of a clock change.
    ['last-month', 'Europe/Berlin', '2026-09-30T22:00:00Z 2026-10-31T23:00:00Z'],
    ['this-year', 'UTC', '2026-01-01T00:00:00Z 2027-01-01T00:00:00Z'],
    ['last-year', 'Australia/Lord_Howe', '2024-12-31T13:00:00Z 2025-12-31T13:00:00Z'],
  ] as const)
    assert.equal(at(range, zone, now), expected, `${range} in ${zone}`)
  assert.equal(at('last-month', 'UTC', '2026-03-31T12:00:00Z'), '2026-02-01T00:00:00Z 2026-03-01T00:00:00Z')
  assert.equal(at('last-month', 'UTC', '2026-01-01T00:00:00Z'), '2025-12-01T00:00:00Z 2026-01-01T00:00:00Z')
})
