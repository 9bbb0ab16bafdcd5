import assert from 'node:assert/strict'
import { linkSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { withoutWrittenBefore, writeTuning } from '../../../src/embedded/postgres/tuning-file.ts'
import { temporaryDirectory } from './data-directory.ts'

const INITDB = `# PostgreSQL configuration file
max_connections = 60\t\t\t# (change requires restart)
shared_buffers = 128MB\t\t\t# min 128kB
#work_mem = 4MB
checkpoint_timeout = 15min\t\t# range 30s-1d
max_wal_size = '2GB'
min_wal_size = 512MB
`

function clusterOf(t: TestContext, main = INITDB) {
  const cluster = temporaryDirectory(t)
  writeFileSync(join(cluster, 'postgresql.conf'), main)
  const { log, records } = silentLog()
  const write = (value: string) => writeTuning({ shared_buffers: value }, { cluster, account: null, log })
  const read = (name: string) => readFileSync(join(cluster, name), 'utf8')
  return { cluster, write, read, records }
}

test('values that initdb or an earlier qs wrote give way, and those of the operator stay', () => {
  assert.equal(
    withoutWrittenBefore(INITDB),
    INITDB.replace(/^(?=shared_buffers|checkpoint_timeout|max_wal_size)/gm, '#'),
  )
})

test('the tuning is included once, before what the operator sets', (t) => {
  const { cluster, write, read } = clusterOf(t)
  write('32MB')
  const first = read('postgresql.conf')
  assert.equal(first, `include_if_exists = 'qs.conf'\n${withoutWrittenBefore(INITDB)}`)
  // From now on a value is a choice, whatever it is.
  writeFileSync(join(cluster, 'postgresql.conf'), `${first}shared_buffers = 128MB\n`)
  write('64MB')
  assert.equal(read('postgresql.conf'), `${first}shared_buffers = 128MB\n`)
  assert.match(read('qs.conf'), /^# Written by qs [\s\S]*\nshared_buffers = 64MB\n$/)
  assert.equal(statSync(join(cluster, 'qs.conf')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(cluster).sort(), ['postgresql.conf', 'qs.conf'])
})

test('a configuration that is a link is left alone, and the start goes on', (t) => {
  const { cluster, write, read, records } = clusterOf(t)
  const main = join(cluster, 'postgresql.conf')
  linkSync(main, join(cluster, 'secret'))
  rmSync(main)
  symlinkSync(join(cluster, 'secret'), main)
  write('32MB')
  assert.equal(read('secret'), INITDB)
  assert.equal(records[0]?.level, 'warn')
})
