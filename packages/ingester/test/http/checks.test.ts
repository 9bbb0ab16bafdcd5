import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databaseCheck } from '../../src/http/checks.ts'

test('readiness tells strangers nothing of what the database said', async () => {
  const check = databaseCheck(async () => {
    throw new Error('password authentication failed for user "qs_owner" at db.internal')
  })
  assert.deepEqual(await check(), { ok: false, detail: 'not reached; qs doctor says why' })
})
