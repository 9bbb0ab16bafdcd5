import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeriesPace } from '../../src/sink/series-pace.ts'

test('a quiet system writes each batch at once, a busy one 200 rows per second', () => {
  const pace = new SeriesPace()
  for (let second = 0; second < 100; second++) assert.equal(pace.choose(150, second * 1000), 'write')
  let written = 0
  for (let n = 0; n < 1000; n++) if (pace.choose(100, 100_000 + n * 100) === 'write') written += 100
  assert.ok(written > 19_000 && written < 21_000, `${written} rows in 100 s`)
  assert.equal(pace.choose(20_000, 1e9), 'defer')
  assert.equal(pace.choose(1, 1e9), 'write', 'a deferred batch costs nothing')
})

test('deferred changes are folded, at first those of another process, and slow folds run less often', () => {
  const pace = new SeriesPace()
  assert.ok(pace.isFoldDue(0))
  pace.foldBegins()
  pace.deferred()
  assert.ok(!pace.isFoldDue(5_000), 'one at a time')
  pace.foldEnded(0, 10)
  assert.ok(!pace.isFoldDue(1_009))
  assert.ok(pace.isFoldDue(1_010))
  pace.foldBegins()
  pace.foldEnded(1_010, 2_010)
  assert.ok(!pace.isFoldDue(100_000), 'nothing is pending')
  pace.deferred()
  assert.ok(pace.isFoldDue(12_010))
  assert.ok(!pace.isFoldDue(12_009))
})

test('a batch during a fold writes no rows: the fold has locked them', () => {
  const pace = new SeriesPace()
  pace.foldBegins()
  assert.equal(pace.choose(1, 0), 'defer')
  pace.foldEnded(0, 700)
  assert.equal(pace.choose(1, 700), 'write')
})
