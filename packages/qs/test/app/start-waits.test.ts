import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { session } from '@qs-telemetry/testing/roles.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { untilAvailable } from '../../src/app/until-available.ts'
import { MIGRATION_LOCK, migrate } from '../../src/database/migrate.ts'
import { hasCode, QsError } from '../../src/errors/qs-error.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const options = () => ({ log: silentLog().log, signal: new AbortController().signal })

/** A session that holds a lock until it commits. */
async function locked(t: TestContext, url: string, tables: string) {
  const holder = await session(t, url)
  await holder.query(`begin; lock table ${tables} in access exclusive mode`)
  return holder
}

test('qs up waits for locks that others hold, says so, and starts once they are gone', async (t) => {
  const url = await migratedDatabase(t)
  const migrator = await session(t, url)
  await migrator.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
  const holder = await locked(t, url, 'devices, dead_letters')
  const [mqtt, ws, http] = [await freePort(), await freePort(), await freePort()]
  const env = { DATABASE_URL: url, QS_DATA_DIR: temporaryDirectory(t) }
  const ports = { MQTT_PORT: String(mqtt), MQTT_WS_PORT: String(ws), HTTP_PORT: String(http) }
  const up = startQs(t, ['up'], { env: { ...env, ...ports } })
  await until(() => up.stderr().includes('Another process is changing the schema'), 'it names the migration')
  await migrator.query('select pg_advisory_unlock_all()')
  await until(() => up.stderr().includes('PostgreSQL is not available yet'), 'it waits for the table')
  assert.match(up.stderr(), /DATABASE_NO_ANSWER/)

  const command = await runQs(t, ['deadletter', 'ls'], { env })
  assert.equal(command.code, 1)
  assert.match(command.stderr, /DATABASE_NO_ANSWER: Another session holds a lock.*pg_blocking_pids/)

  await holder.query('commit')
  await untilReady(up, http)
})

test('a lock on the history of migrations delays them for a few seconds, then ends the attempt', async (t) => {
  const url = await migratedDatabase(t)
  await locked(t, url, 'schema_migrations')
  await assert.rejects(migrate(url), (error) => hasCode(error, 'DATABASE_NO_ANSWER'))
})

test('a step of the start is repeated while PostgreSQL is slow or away, and only then', async () => {
  const failures: unknown[] = [
    new Error('Query read timeout'),
    Object.assign(new Error('the database system is shutting down'), { code: '57P03' }),
  ]
  const step = async () => {
    const failure = failures.shift()
    if (failure !== undefined) throw failure
    return 'done'
  }
  assert.equal(await untilAvailable(step, options()), 'done')

  for (const final of [
    new QsError('CLIENT_ID_IN_USE', 'Another ingester is running'),
    Object.assign(new Error('permission denied'), { code: '42501' }),
  ]) {
    const refused = async () => {
      throw final
    }
    await assert.rejects(untilAvailable(refused, options()), final)
  }
})
