import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockDataDirectory } from '../../../src/embedded/postgres/data-directory-lock.ts'
import { processIdentity } from '../../../src/embedded/postgres/process-identity.ts'
import { temporaryDirectory } from './data-directory.ts'

test('a second start on a data directory is refused, naming the holder', (t) => {
  const dataDir = join(temporaryDirectory(t), 'data')
  const lock = lockDataDirectory(dataDir)
  assert.throws(() => lockDataDirectory(dataDir), new RegExp(`pid ${process.pid}\\b.*QS_DATA_DIR`))
  lock.release()
  lockDataDirectory(dataDir).release()
  assert.deepEqual(readdirSync(dataDir), [])
})

test('the lock of a killed process is taken over', async (t) => {
  const dataDir = temporaryDirectory(t)
  const holder = spawn('sleep', ['60'])
  await once(holder, 'spawn')
  const pid = holder.pid ?? 0
  const held = JSON.stringify({ pid, started: processIdentity(pid) })
  writeFileSync(join(dataDir, 'qs.lock'), held)
  assert.throws(() => lockDataDirectory(dataDir), new RegExp(`pid ${pid}\\b`))
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  lockDataDirectory(dataDir).release()
})

test('a reused pid does not hold the lock, nor does an empty file', (t) => {
  const dataDir = temporaryDirectory(t)
  for (const content of [JSON.stringify({ pid: process.pid, started: 'long ago' }), '', '{"pid":']) {
    writeFileSync(join(dataDir, 'qs.lock'), content)
    lockDataDirectory(dataDir).release()
  }
})

test('release leaves a lock alone that another process has taken over', (t) => {
  const dataDir = temporaryDirectory(t)
  const lock = lockDataDirectory(dataDir)
  writeFileSync(join(dataDir, 'qs.lock'), 'theirs')
  lock.release()
  assert.ok(existsSync(join(dataDir, 'qs.lock')))
})
