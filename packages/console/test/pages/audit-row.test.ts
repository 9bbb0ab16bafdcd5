import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AUDIT_ACTIONS } from '@qs-telemetry/protocol/api'
import { auditRow } from '../../src/pages/audit-row.ts'

const CASES = [
  {
    action: 'device described',
    detail: { deviceId: '<b>', label: 'Window', room: null },
    row: {
      what: 'Changed a device',
      device: '<b>',
      letters: [],
      details: ['Label: Window', 'Room: removed'],
    },
  },
  {
    action: 'letters replayed',
    detail: {
      letters: 3,
      left: 0,
      ids: ['1', '2', '3'].map((id) => ({ id, result: id === '2' ? 'rejected' : 'stored' })),
    },
    row: {
      what: 'Replayed dead letters',
      device: null,
      letters: ['1', '2', '3'],
      details: ['Dead letters: 3', 'Not tried yet: 0', 'Results: 2 stored, 1 rejected'],
    },
  },
  {
    action: 'letters purged',
    detail: { letters: 60, choice: { all: true, state: 'open' } },
    row: {
      what: 'Deleted dead letters',
      device: null,
      letters: [],
      details: ['Dead letters: 60', 'State: open'],
    },
  },
  {
    action: 'letters purged',
    detail: { letters: 9, choice: { ids: ['1', '2', '3', '4', '5', '6', '7', '8', '9'] } },
    row: {
      what: 'Deleted dead letters',
      device: null,
      letters: ['1', '2', '3', '4', '5'],
      details: ['More: 4 dead letters', 'Dead letters: 9'],
    },
  },
  {
    action: 'letters patched',
    detail: { letters: 2, merge: '{"schema":1}', choice: { ids: ['4', '5'] } },
    row: {
      what: 'Repaired several dead letters',
      device: null,
      letters: ['4', '5'],
      details: ['Dead letters: 2', 'Fields to change: {"schema":1}'],
    },
  },
  {
    action: 'something new',
    detail: 'a text',
    row: { what: 'something new', device: null, letters: [], details: ['detail: a text'] },
  },
]

test('an entry of the audit log becomes an action, what it was applied to, and details', () => {
  for (const { action, detail, row } of CASES) {
    const { details, ...rest } = auditRow({ action, detail })
    assert.deepEqual({ ...rest, details: details.map(([name, text]) => `${name}: ${text}`) }, row)
  }
})

test('each action of the audit log has its own text', () => {
  const words = AUDIT_ACTIONS.map((action) => auditRow({ action, detail: {} }).what)
  assert.equal(new Set(words).size, AUDIT_ACTIONS.length)
  for (const [index, action] of AUDIT_ACTIONS.entries()) assert.notEqual(words[index], action)
})
