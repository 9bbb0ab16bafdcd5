import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffMs } from '../../src/pipeline/backoff.ts'

const bounds = { minMs: 100, maxMs: 3_000 }

test('each pause is twice as long as the one before, up to the bound', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6].map((failures) => backoffMs(failures, { ...bounds, random: () => 1 }))
  assert.deepEqual(longest, [100, 200, 400, 800, 1_600, 3_000, 3_000])
})

test('jitter shortens a pause by at most half', () => {
  assert.equal(backoffMs(1, { ...bounds, random: () => 0 }), 100)
  assert.equal(backoffMs(1_000, { ...bounds, random: () => 0 }), 1_500)
})
