import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { boundLog, logTail } from '../../../src/embedded/postgres/postgres-log.ts'
import { temporaryDirectory } from './data-directory.ts'

test('the log never takes more than twice its limit', (t) => {
  const directory = temporaryDirectory(t)
  const { log } = silentLog()
  const path = join(directory, 'postgres.log')
  boundLog(path, log)
  for (let i = 0; i < 10; i++) {
    appendFileSync(path, Buffer.alloc(3 * 1024 * 1024, 'x'))
    boundLog(path, log)
  }
  const bytes = readdirSync(directory).map((name) => statSync(join(directory, name)).size)
  assert.equal(bytes.length, 2)
  assert.ok(bytes.every((size) => size <= 11 * 1024 * 1024))
})

test('its tail is the text written since a position', (t) => {
  const path = join(temporaryDirectory(t), 'postgres.log')
  appendFileSync(path, 'before\n')
  const from = statSync(path).size
  assert.equal(logTail(path, from), '')
  appendFileSync(path, 'FATAL: after\n')
  assert.equal(logTail(path, from), 'FATAL: after')
  assert.equal(logTail(path, 0), 'before\nFATAL: after')
})
