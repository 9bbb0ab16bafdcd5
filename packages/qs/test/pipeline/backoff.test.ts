import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pauseMs } from '../../src/pipeline/backoff.ts'

test('each pause is twice as long as the one before, up to the bound', () => {
  const longest = [0, 1, 2, 3, 4, 5].map((failures) => pauseMs(failures, { triedMs: 0, random: () => 1 }))
  assert.deepEqual(longest, [100, 200, 400, 800, 1_000, 1_000])
})

test('jitter shortens a pause by at most half', () => {
  assert.equal(pauseMs(1, { triedMs: 0, random: () => 0 }), 100)
  assert.equal(pauseMs(1_000, { triedMs: 0, random: () => 0 }), 500)
})

test('a slow attempt counts as part of the pause, and some pause remains', () => {
  assert.equal(pauseMs(10, { triedMs: 300, random: () => 1 }), 700)
  assert.equal(pauseMs(10, { triedMs: 3_000, random: () => 1 }), 100)
})
