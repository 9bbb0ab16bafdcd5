import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { LocalClock } from '../src/local-clock.ts'

test('zones whose names are also abbreviations have summer time', () => {
  for (const [zone, winter, summer] of [
    ['CET', '01', '02'],
    ['MET', '01', '02'],
    ['EET', '02', '03'],
    ['WET', '00', '01'],
  ] as const) {
    const clock = new LocalClock(zone)
    assert.equal(clock.text('2026-01-01T00:00:00.123456Z'), `2026-01-01 ${winter}:00:00.123`, zone)
    assert.equal(clock.text('2026-07-01T00:00:00.123456Z'), `2026-07-01 ${summer}:00:00.123`, zone)
  }
})

test('every moment has the local time of its zone, also around each clock change', () => {
  const zones = ['America/Los_Angeles', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'CET', 'EST', 'HST', 'UTC']
  const clocks = new Map(zones.map((zone) => [zone, new LocalClock(zone)]))
  const changes = [
    '2026-03-08T10:00:00Z',
    '2026-11-01T09:00:00Z',
    '2026-04-04T15:00:00Z',
    '2026-10-25T01:00:00Z',
  ]
  const moment = fc.oneof(
    fc.integer({ min: Date.UTC(1970), max: Date.UTC(2040) }),
    fc
      .tuple(fc.constantFrom(...changes), fc.integer({ min: -86_400_001, max: 86_400_001 }))
      .map(([change, far]) => Date.parse(change) + far),
  )
  fc.assert(
    fc.property(fc.constantFrom(...zones), moment, (zone, epochMs) => {
      const zoned = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(zone)
      const wanted = zoned.toPlainDateTime().toString({ smallestUnit: 'millisecond' }).replace('T', ' ')
      assert.equal(clocks.get(zone)?.text(new Date(epochMs).toISOString()), wanted)
    }),
    { numRuns: 2_000 },
  )
})
