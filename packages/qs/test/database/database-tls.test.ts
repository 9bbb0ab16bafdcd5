import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Certificates, makeCertificates } from '@qs-telemetry/testing/certificates.ts'
import { debianBin, debianPostgresMissing } from '@qs-telemetry/testing/debian-postgres.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import type { TestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { lockedCluster, ROLE_VARIABLES, runRoles, session, urlOf } from '@qs-telemetry/testing/roles.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { startIngester } from '../../src/app/ingester.ts'
import { dumpBackup as backup } from '../../src/backup/pg-dump/backup.ts'
import { restoreDump as restore } from '../../src/backup/pg-dump/restore.ts'
import { migrate } from '../../src/database/migrate.ts'
import { serverAccount } from '../../src/embedded/postgres/postgres-account.ts'

const skip = debianPostgresMissing || mosquittoMissing || missing('openssl', 'version')

let cluster: TestCluster
let ours: Certificates
let foreign: Certificates
const directory = mkdtempSync(join(tmpdir(), 'qs-database-tls-'))

before(async () => {
  if (skip) return
  ours = makeCertificates(directory, 'ours')
  foreign = makeCertificates(directory, 'foreign')
  const account = serverAccount(join(directory, 'none'))
  chmodSync(directory, 0o755)
  chmodSync(ours.key, 0o600)
  if (account !== null) chownSync(ours.key, account.uid, account.gid)
  cluster = await lockedCluster({
    bin: debianBin(),
    settings: ['ssl=on', `ssl_cert_file=${ours.certificate}`, `ssl_key_file=${ours.key}`],
    // Only the superuser, for the set-up, may connect without TLS.
    hba: ['host all postgres 127.0.0.1/32 trust', 'hostssl all all 127.0.0.1/32 scram-sha-256'],
  })
  await runRoles(cluster, ROLE_VARIABLES)
})
after(async () => {
  await cluster?.stop()
  rmSync(directory, { recursive: true, force: true })
})

function tlsUrl(role: 'qs' | 'qs_ingester', authority: string, host = 'localhost'): string {
  const url = new URL(urlOf(cluster, role))
  url.hostname = host
  url.searchParams.set('sslmode', 'verify-full')
  url.searchParams.set('sslrootcert', authority)
  return url.href
}

test('with verify-full every connection uses TLS', { skip }, async (t) => {
  const [owner, ingester] = [tlsUrl('qs', ours.authority), tlsUrl('qs_ingester', ours.authority)]
  await migrate(owner)
  const broker = await startMosquitto(t)
  const running = await startIngester(
    configOf({ HTTP_PORT: String(await freePort()) }),
    { mqttUrl: broker.url, databaseUrl: ingester },
    { log: silentLog().log, signal: new AbortController().signal },
  )
  await running.connected
  const env = { DATABASE_URL: ingester, MQTT_URL: broker.url }
  const verified = await runQs(t, ['verify', '--events', '10'], { env })
  const superuser = await session(t, cluster.url)
  const { rows } = await superuser.query(
    `select application_name as name, bool_and(ssl) as ssl from pg_stat_activity join pg_stat_ssl using (pid)
     where usename = 'qs_ingester' group by 1 order by 1`,
  )
  // Before anything fails, or it keeps the process alive.
  await running.stop()
  assert.equal(verified.code, 0, verified.stderr)
  const names = rows.map(({ name }) => name)
  for (const name of ['qs-ingester', 'qs-ingester (lock)', 'qs-queries'])
    assert.ok(names.includes(name), name)
  assert.deepEqual(
    rows.filter(({ ssl }) => !ssl),
    [],
  )

  const file = join(directory, 'tls.dump')
  const options = { databaseUrl: owner, file, signal: new AbortController().signal, onRows: () => {} }
  await backup(options)
  const { manifest } = await restore({ ...options, replace: true })
  assert.equal(manifest.tables.find(({ table }) => table === 'events')?.rows, 10)
})

test('a wrong authority, a wrong name and a missing file are reported, with what to do', {
  skip,
}, async () => {
  const cases: readonly [string, RegExp][] = [
    [
      tlsUrl('qs', foreign.authority),
      /certificate of PostgreSQL at localhost:\d+ is not trusted.*sslrootcert/,
    ],
    [tlsUrl('qs', ours.authority, '127.0.0.1'), /at 127.0.0.1:\d+ is not trusted.*issued for/],
    [
      tlsUrl('qs', join(directory, 'none.pem')),
      /DATABASE_URL names .*none.pem, which cannot be read: ENOENT/,
    ],
  ]
  const code = 'DATABASE_CERTIFICATE'
  for (const [url, message] of cases) await assert.rejects(migrate(url), { code, message })
})

test('an ingester that does not trust the server exits, and does not show the password', {
  skip,
}, async (t) => {
  const env = { DATABASE_URL: tlsUrl('qs', foreign.authority), MQTT_URL: 'mqtt://127.0.0.1:1' }
  const { code, stderr } = await runQs(t, ['ingest'], { env })
  assert.equal(code, 1)
  assert.match(stderr, /is not trusted/)
  assert.doesNotMatch(stderr, /wner/)
})
