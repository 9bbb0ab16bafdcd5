import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { untilAvailable } from '../../../src/app/until-available.ts'
import { startEmbeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import { setUpServiceRoles } from '../../../src/embedded/postgres/service-roles.ts'
import { FaultProxy } from '../../../src/verify/fault-proxy.ts'
import { temporaryDirectory } from './data-directory.ts'

test('the roles are set up once PostgreSQL answers, and the log says what the start waits for', async (t) => {
  const dataDir = join(temporaryDirectory(t), 'data')
  const port = await freePort()
  const database = await startEmbeddedPostgres({ dataDir, port, log: silentLog().log })
  t.after(() => database.stop())
  const owner = new Client({ connectionString: database.url })
  // The stop of the database ends it.
  owner.on('error', () => {})
  await owner.connect()
  await owner.query('alter role qs_console connection limit 1')

  const proxy = await FaultProxy.start({ host: '127.0.0.1', port })
  t.after(() => proxy.close())
  proxy.set({ kind: 'refuse' })
  const url = new URL(database.url)
  url.port = String(proxy.port)
  const { log, records } = silentLog()
  const stopping = new AbortController()
  const start = ({ signal }: AbortController) =>
    setUpServiceRoles(url.href, dataDir, (step) => untilAvailable(step, { log, signal }))
  const waitsInVain = assert.rejects(start(stopping))
  await until(
    () => records.some(({ msg }) => msg.startsWith('PostgreSQL is not available yet')),
    'the warning',
  )
  stopping.abort()
  await waitsInVain

  const isSetUp = start(new AbortController())
  proxy.heal()
  await isSetUp
  const { rows } = await owner.query(`select rolconnlimit from pg_roles where rolname = 'qs_console'`)
  assert.deepEqual(rows, [{ rolconnlimit: 20 }])
})
