import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastsText } from '../../src/pages/lasts-text.ts'

test('how long the disk lasts is short, and a dash where nobody knows', () => {
  const disk = { freeBytes: 1, totalBytes: 2 }
  const growth = { eventsPerDay: 1, bytesPerDay: 1, laterBytesPerDay: 1 }
  const of = (days: number) => lastsText({ disk, growth, lasts: { days, until: '2026-12-29T10:00:00.000Z' } })
  assert.deepEqual([0.4, 29.9, 700, 1_644].map(of), ['less than a day', '29 days', '700 days', '4.5 years'])
  assert.equal(lastsText({ disk, growth, lasts: null }), '100+ years')
  assert.equal(lastsText({ disk: null, growth, lasts: null }), '–')
  assert.equal(lastsText({ disk, growth: null, lasts: null }), '–')
})
