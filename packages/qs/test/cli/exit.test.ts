import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { exitCodeOf, report } from '../../src/cli/exit.ts'
import { ConfigError } from '../../src/config/load.ts'
import { QsError } from '../../src/errors/qs-error.ts'

const text = (error: unknown) => stripVTControlCharacters(report(error, false))

test('an error is printed with its code, what happened and what to do', () => {
  assert.equal(
    text(new QsError('FILE_EXISTS', 'a.dump already exists')),
    'error FILE_EXISTS: a.dump already exists. Choose another name, or remove the file.',
  )
  assert.match(
    text(new ConfigError(['A is wrong'])),
    /^error SETTINGS_WRONG: A setting is wrong:\n {2}A is wrong\nCorrect/,
  )
  assert.match(
    text(new AggregateError([new Error('one'), new Error('two')])),
    /^error UNEXPECTED: one; two\. /,
  )
})

test('wrong usage and wrong settings exit with 2, everything else with 1', () => {
  assert.equal(exitCodeOf(new QsError('WRONG_USAGE', 'no')), 2)
  assert.equal(exitCodeOf(new ConfigError(['no'])), 2)
  assert.equal(exitCodeOf(new QsError('FILE_EXISTS', 'no')), 1)
  assert.equal(exitCodeOf(new Error('no')), 1)
})

test('with --json an error is one line of JSON with its code', async (t) => {
  const { code, stdout, stderr } = await runQs(t, ['deadletter', 'ls', '--json'], {
    env: { DATABASE_URL: 'postgresql://qs@127.0.0.1:1/qs' },
  })
  assert.deepEqual([code, stdout], [1, ''])
  const { error } = JSON.parse(stderr) as {
    readonly error: { readonly code: string; readonly message: string }
  }
  assert.equal(error.code, 'DATABASE_UNREACHABLE')
  assert.match(
    error.message,
    /^No connection to PostgreSQL at 127\.0\.0\.1:1: .*Is it running\? DATABASE_URL/,
  )
})

test('an error of a command is one line; QS_DEBUG adds its stack trace', async (t) => {
  const command = ['deadletter', 'show', 'seventeen']
  const plain = await runQs(t, command)
  assert.equal(plain.code, 2)
  assert.match(plain.stderr, /^error WRONG_USAGE: .*"seventeen" is not a valid dead-letter id.*\n$/)
  const debugged = await runQs(t, command, { env: { QS_DEBUG: '1' } })
  assert.equal(debugged.code, 2)
  assert.match(debugged.stderr, /"seventeen" is not a valid dead-letter id[^\n]*\n +at /)
})
