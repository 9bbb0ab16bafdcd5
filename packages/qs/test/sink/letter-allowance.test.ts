import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LetterAllowance, OTHERS } from '../../src/sink/letter-allowance.ts'

const MINUTE_MS = 60_000

function keptOf(allowance: LetterAllowance, tries: number, nowMs: number, bytes = 1): number {
  return Array.from({ length: tries }, () => allowance.take('d', bytes, nowMs)).filter(Boolean).length
}

test('a device may use the allowance of one minute at once, and then at a steady rate', () => {
  const allowance = new LetterAllowance({ lettersPerMinute: 60, bytesPerMinute: 1e9 })
  assert.equal(keptOf(allowance, 100, 0), 60)
  assert.equal(keptOf(allowance, 100, 1_000), 1)
  assert.equal(keptOf(allowance, 100, 11_000), 10)
  assert.equal(keptOf(allowance, 100, 10 * MINUTE_MS), 60, 'at most one minute is saved up')
  assert.equal(allowance.take('other', 1, 0), true, 'another device has its own allowance')
})

test('a dead letter larger than the allowance is kept once, and paid for', () => {
  const allowance = new LetterAllowance({ lettersPerMinute: 100, bytesPerMinute: 1_000 })
  assert.equal(allowance.take('d', 3_000, 0), true)
  assert.equal(allowance.take('d', 1, MINUTE_MS), false)
  assert.equal(allowance.take('d', 1, 2 * MINUTE_MS), false)
  assert.equal(allowance.take('d', 1, 2.1 * MINUTE_MS), true)
})

test('the charge for an uncommitted transaction is returned', () => {
  const allowance = new LetterAllowance({ lettersPerMinute: 1, bytesPerMinute: 10 })
  assert.equal(allowance.take('d', 50, 0), true)
  assert.equal(allowance.take('d', 50, 0), false)
  allowance.giveBack('d', 50)
  assert.equal(allowance.take('d', 50, 0), true)
})

test('a million ids take the memory of a thousand, and share one allowance', () => {
  const allowance = new LetterAllowance({ lettersPerMinute: 10, bytesPerMinute: 1e9 })
  let kept = 0
  for (let n = 0; n < 1_000_000; n++) {
    if (allowance.take(allowance.nameOf(`garbage-${n}`, 0), 1, 0)) kept++
  }
  assert.ok(allowance.size <= 1_001, String(allowance.size))
  assert.equal(kept, 1_000 + 10)
  assert.equal(allowance.nameOf('late', 0), OTHERS)
  assert.equal(allowance.nameOf('late', 2 * MINUTE_MS), 'late', 'silent devices are forgotten')
  assert.equal(allowance.nameOf(null, 0), OTHERS)
  assert.equal(allowance.nameOf('x'.repeat(1_000), 0), OTHERS)
})
