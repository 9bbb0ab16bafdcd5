import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Storage } from '@qs-telemetry/protocol/api'
import { storageAdvice } from '../../src/storage/storage-advice.ts'
import { lastsText } from '../../src/storage/storage-text.ts'

const part = (name: string, bytes: number) => ({ name, bytes, about: '' })
const FACTS: Omit<Storage, 'advice'> = {
  parts: [part('rows', 6e9), part('letters', 2e9), part('WAL', 1e8), part('backups', 3e9)],
  events: { rows: 2e7, sealed: 0, bytesPerRow: 320, bytesPerSealed: null },
  growth: { eventsPerDay: 1e6, bytesPerDay: 3.2e8, laterBytesPerDay: 3.2e8 },
  disk: { freeBytes: 9.6e9, totalBytes: 3e10 },
  lasts: { days: 30, until: '2026-12-29T10:00:00.000Z' },
  sealing: { horizon: null, walkedAt: null, deleted: null },
  settings: [],
}

const OUTLOOK = { sealAfterDays: null, keepDays: null, yearBytes: 1.2e11, freeInRows: 0 }

test('a disk that is full within a year gets advice about what is large', () => {
  const topics = storageAdvice(FACTS, OUTLOOK).map((line) => line.slice(0, line.search(/[ =:]/)))
  assert.deepEqual(topics, ['SEAL_AFTER', 'qs', 'qs', 'Keep', 'A'])
  const sealing = storageAdvice(FACTS, { ...OUTLOOK, sealAfterDays: 30 })
  assert.ok(!sealing.some((line) => line.includes('SEAL_AFTER')))
  assert.match(sealing.at(-1) ?? '', /^A year of this needs 120 GB: /)
})

test('space that sealing has left in the table is named where it is a tenth of all', () => {
  const [first = ''] = storageAdvice(FACTS, { ...OUTLOOK, sealAfterDays: 30, freeInRows: 5e9 })
  assert.match(first, /^vacuum full events, in psql, gives about 5\.0 GB back/)
})

test('a disk that lasts for years gets none', () => {
  assert.deepEqual(storageAdvice({ ...FACTS, lasts: null }, OUTLOOK), [])
})

test('the end of the disk has a date', () => {
  assert.equal(lastsText(FACTS), 'lasts about 30 days, until 2026-12-29')
  const lasts = { days: 1_200, until: '2030-03-13T00:00:00.000Z' }
  assert.equal(lastsText({ ...FACTS, lasts }), 'lasts about 3 years, until 2030-03-13')
  assert.equal(lastsText({ ...FACTS, lasts: null }), 'lasts more than 100 years at this rate')
  assert.match(lastsText({ growth: null, lasts: null }), /known an hour after the first event/)
})
