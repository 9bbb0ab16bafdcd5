import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqlstateOf, verdictOn } from '../../src/sink/sqlstate.ts'

const VERDICTS = {
  retry: [
    '08006',
    '40001',
    '40P01',
    '53100',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '25006',
    'XX000',
    '55000',
  ],
  row: ['22021', '22P02', '22P05', '22003', '23505', '23514', '54000', 'P0001', 'P0002'],
  refused: ['28P01', '28000', '3D000'],
  stop: ['42P01', '42501', '42703'],
}

for (const [verdict, sqlstates] of Object.entries(VERDICTS)) {
  test(`${sqlstates.join(', ')}: ${verdict}`, () => {
    for (const code of sqlstates) assert.equal(verdictOn(Object.assign(new Error(), { code })), verdict, code)
  })
}

test('network errors and unknown errors are retried and have no SQLSTATE', () => {
  for (const error of [Object.assign(new Error(), { code: 'ECONNRESET' }), new Error('x'), null, 'text']) {
    assert.equal(verdictOn(error), 'retry')
    assert.equal(sqlstateOf(error), null)
  }
})
