import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { placeCluster } from '../../../src/embedded/postgres/cluster-place.ts'
import { canEnter, serverAccount } from '../../../src/embedded/postgres/postgres-account.ts'
import { temporaryDirectory } from './data-directory.ts'

const notRoot = process.getuid?.() === 0 ? false : 'needs root'

test('for an ordinary user, the cluster is in the data directory', (t) => {
  const dataDir = temporaryDirectory(t)
  assert.equal(
    placeCluster(null, { dataDir, systemDirectory: '', log: silentLog().log }),
    join(dataDir, 'postgres'),
  )
})

test('root: a removed data directory starts anew, and its old cluster is set aside', {
  skip: notRoot,
}, (t) => {
  const dataDir = temporaryDirectory(t)
  const systemDirectory = join(temporaryDirectory(t), 'system')
  const { log, records } = silentLog()
  const options = { dataDir, systemDirectory, log }
  const account = serverAccount(join(dataDir, 'none'))
  chmodSync(dataDir, 0o700)

  const umask = process.umask(0o077)
  t.after(() => process.umask(umask))
  const cluster = placeCluster(account, options)
  assert.equal(readlinkSync(join(dataDir, 'postgres')), cluster)
  assert.ok(account !== null && canEnter(join(systemDirectory, 'clusters'), account), 'whatever the umask')
  mkdirSync(cluster)
  writeFileSync(join(cluster, 'data'), '')
  assert.equal(placeCluster(account, options), cluster, 'the same at the next start')

  rmSync(join(dataDir, 'postgres'))
  assert.equal(placeCluster(account, options), cluster)
  const [aside = ''] = readdirSync(join(systemDirectory, 'clusters'))
  assert.match(aside, /\.removed-\d+$/)
  assert.deepEqual(readdirSync(join(systemDirectory, 'clusters', aside)), ['data'])
  assert.ok(records.some(({ level, msg }) => level === 'warn' && msg.includes(aside)))
})
