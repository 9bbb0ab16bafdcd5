import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTime } from '../../src/import/import-time.ts'

test('the size of a Unix time tells its unit, and microseconds survive', () => {
  for (const [text, expected] of [
    ['1764430000.123456', 1_764_430_000.123456],
    ['1764430000123', 1_764_430_000_123],
    ['1764430000123456', '2025-11-29T15:26:40.123456Z'],
    ['1764430000123456789', '2025-11-29T15:26:40.123456Z'],
    ['-1', '1969-12-31T23:59:59.000000Z'],
    ['-1500000000000000000', '1922-06-20T21:20:00.000000Z'],
  ] as const)
    assert.equal(readTime(text, null), expected, text)
})

test('a unit that is said holds for small numbers too, and before 1970', () => {
  assert.equal(readTime('1000000001', 'ns'), '1970-01-01T00:00:01.000000Z')
  assert.equal(readTime('-1', 'ns'), '1969-12-31T23:59:59.999999Z')
  assert.equal(readTime('1500', 'ms'), '1970-01-01T00:00:01.500000Z')
  assert.equal(readTime('1', 'us'), '1970-01-01T00:00:00.000001Z')
})

test('what is no Unix time stays as it is', () => {
  for (const text of ['2026-01-15T12:00:00', '15.01.2026', '', 'now', '1e99'])
    assert.equal(readTime(text, null), text)
})
