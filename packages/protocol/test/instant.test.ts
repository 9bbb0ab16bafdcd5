import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatInstant, instantFromMs } from '../src/instant.ts'

test('an instant is written in UTC with six digits', () => {
  assert.equal(formatInstant({ epochMs: 1_795_456_800_123, micros: 456 }), '2026-11-23T18:00:00.123456Z')
  assert.equal(formatInstant({ epochMs: 0, micros: 7 }), '1970-01-01T00:00:00.000007Z')
})

test('the years 0001 to 9999 have four digits', () => {
  assert.equal(formatInstant({ epochMs: -62_135_596_800_000, micros: 0 }), '0001-01-01T00:00:00.000000Z')
  assert.equal(formatInstant({ epochMs: 253_402_300_799_999, micros: 999 }), '9999-12-31T23:59:59.999999Z')
})

test('fractions of a millisecond become microseconds', () => {
  assert.deepEqual(instantFromMs(1.25), { epochMs: 1, micros: 250 })
  assert.deepEqual(instantFromMs(1_700_000_000_123.456), { epochMs: 1_700_000_000_123, micros: 456 })
})

test('before 1970 the microseconds still count forward', () => {
  assert.deepEqual(instantFromMs(-0.25), { epochMs: -1, micros: 750 })
  assert.deepEqual(instantFromMs(-1), { epochMs: -1, micros: 0 })
})

test('what rounds up to a whole millisecond carries over', () => {
  assert.deepEqual(instantFromMs(1.9999), { epochMs: 2, micros: 0 })
  assert.deepEqual(instantFromMs(-0.0001), { epochMs: 0, micros: 0 })
})

test('an instant always has whole milliseconds and 0 to 999 microseconds, half a microsecond off at most', () => {
  fc.assert(
    fc.property(fc.double({ min: -62_135_596_800_000, max: 253_402_300_799_000, noNaN: true }), (ms) => {
      const { epochMs, micros } = instantFromMs(ms)
      assert.ok(Number.isInteger(epochMs))
      assert.ok(Number.isInteger(micros) && micros >= 0 && micros <= 999)
      assert.ok(Math.abs(epochMs - ms + micros / 1000) <= 0.000501 + Math.abs(ms) * 2 ** -52)
    }),
  )
})

test('texts of instants sort like the instants', () => {
  const instant = fc.record({
    epochMs: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
    micros: fc.integer({ min: 0, max: 999 }),
  })
  fc.assert(
    fc.property(instant, instant, (a, b) => {
      const order = Math.sign(a.epochMs - b.epochMs || a.micros - b.micros)
      const [textA, textB] = [formatInstant(a), formatInstant(b)]
      assert.equal(textA < textB ? -1 : textA > textB ? 1 : 0, order)
    }),
  )
})
