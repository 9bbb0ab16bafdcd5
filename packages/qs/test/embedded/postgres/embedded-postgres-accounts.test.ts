import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, mkdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { Client } from 'pg'
import { startEmbeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import { type Account, canEnter, serverAccount } from '../../../src/embedded/postgres/postgres-account.ts'
import { postmasterPid, temporaryDirectory } from './data-directory.ts'
import { spawnEmbeddedPostgres } from './embedded-postgres-child.ts'

const notRoot = process.getuid?.() === 0 ? false : 'needs root'

async function answers(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.end()
}

test('root: below a folder closed to others, the cluster is stored elsewhere', {
  skip: notRoot,
}, async (t) => {
  const closed = temporaryDirectory(t)
  chmodSync(closed, 0o700)
  const dataDir = join(closed, 'data')
  const port = await freePort()
  const { log, records } = silentLog()
  const database = await startEmbeddedPostgres({ dataDir, port, log })
  t.after(() => database.stop())
  const cluster = realpathSync(join(dataDir, 'postgres'))
  t.after(() => rmSync(cluster, { recursive: true, force: true }))

  await answers(database.url)
  assert.ok(lstatSync(join(dataDir, 'postgres')).isSymbolicLink())
  assert.equal(statSync(closed).mode & 0o777, 0o700)
  assert.notEqual(statSync(cluster).uid, 0)
  assert.notEqual(statSync(`/proc/${postmasterPid(dataDir)}`).uid, 0)
  assert.equal(records.filter(({ msg }) => msg.includes(cluster) && msg.includes('cannot enter')).length, 1)
  await database.stop()

  const again = await startEmbeddedPostgres({ dataDir, port, log })
  t.after(() => again.stop())
  assert.equal(again.url, database.url)
  await answers(again.url)
})

test('an ordinary user starts it, and root later runs it as that user', { skip: notRoot }, async (t) => {
  const nobody: Account = { name: 'nobody', uid: 65_534, gid: 65_534 }
  if (!canEnter(import.meta.dirname, nobody) || !canEnter(dirname(process.execPath), nobody)) {
    t.skip('this checkout or node is closed to other users')
    return
  }
  const dataDir = join(temporaryDirectory(t), 'data')
  mkdirSync(dataDir)
  chownSync(dataDir, nobody.uid, nobody.gid)
  const port = await freePort()
  const { child, url } = spawnEmbeddedPostgres({ dataDir, port, uid: nobody.uid, gid: nobody.gid })
  await answers(await url)
  assert.equal(statSync(join(dataDir, 'postgres')).uid, nobody.uid)
  child.kill('SIGKILL')
  await once(child, 'exit')

  const database = await startEmbeddedPostgres({ dataDir, port, log: silentLog().log })
  t.after(() => database.stop())
  assert.equal(database.url, await url)
  assert.equal(statSync(`/proc/${postmasterPid(dataDir)}`).uid, nobody.uid)
})

test('for a cluster that belongs to root, the error says what to do', { skip: notRoot }, (t) => {
  assert.throws(() => serverAccount(temporaryDirectory(t)), /belongs to root.*chown -R/)
})
