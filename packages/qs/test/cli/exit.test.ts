import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runQs } from '@qs-telemetry/testing/qs.ts'

test('an error of a command is one line; QS_DEBUG adds its stack trace', async (t) => {
  const command = ['deadletter', 'show', 'seventeen']
  const plain = await runQs(t, command)
  assert.equal(plain.code, 2)
  assert.match(plain.stderr, /^error: .*"seventeen" is not a valid dead-letter id.*\n$/)
  const debugged = await runQs(t, command, { env: { QS_DEBUG: '1' } })
  assert.equal(debugged.code, 2)
  assert.match(debugged.stderr, /"seventeen" is not a valid dead-letter id[^\n]*\n +at /)
})
