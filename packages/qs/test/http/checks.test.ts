import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { databaseCheck } from '../../src/http/checks.ts'

test('readiness hides the database error, and the log shows it once for many probes', async () => {
  const { log, records } = silentLog()
  const check = databaseCheck(async () => {
    throw new Error('password authentication failed for user "qs_owner" at db.internal')
  }, log)
  for (let probe = 0; probe < 20; probe++)
    assert.deepEqual(await check(), { ok: false, detail: 'unreachable; see the log and qs doctor' })
  assert.equal(records.length, 1)
  assert.match(JSON.stringify(records[0]), /qs_owner.*cannot reach the database/)
})
