import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minuteColumns } from '../../src/charts/minute-columns.ts'

const NOW = Date.parse('2026-11-28T10:30:30.123Z')
const minute = (ago: number, stored: number) => ({
  ...{ minute: new Date(Math.floor(NOW / 60_000 - ago) * 60_000).toISOString(), stored },
  ...{ duplicate: 0, rejected: 0 },
})

test('a backlog of 47,738 events does not flatten the minutes after it, starting with the first', () => {
  for (const later of [1, 2, 10, 55]) {
    const live = Array.from({ length: later }, (_, ago) => minute(ago, ago === 0 ? 18 : 36))
    const { columns, top, most, usual } = minuteColumns([minute(later, 47_738), ...live], NOW)
    assert.ok(top < 300, `${later} minutes later the scale ends at ${top}`)
    assert.deepEqual([most?.total, most?.isCut, Math.round(usual ?? 0)], [47_738, true, 36])
    assert.equal(columns.filter(({ isCut }) => isCut).length, 1)
    assert.equal(columns.length, Math.max(15, later + 1), 'from the first event on')
  }
})

test('a steady hour is whole: sixty minutes, none of them cut', () => {
  const { columns, top, most } = minuteColumns(
    Array.from({ length: 60 }, (_, ago) => minute(ago, ago === 0 ? 1 : 100 + (ago % 7))),
    NOW,
  )
  assert.deepEqual([columns.length, top, most?.total], [60, 106, 106])
})

test('without events there is a quarter of an hour of empty minutes', () => {
  const { columns, most } = minuteColumns([], NOW)
  assert.deepEqual([columns.length, most], [15, null])
})
