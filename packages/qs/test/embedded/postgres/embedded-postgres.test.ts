import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../../src/embedded/postgres/embedded-postgres.ts'
import { embeddedDatabaseUrl } from '../../../src/endpoints/embedded-database-url.ts'
import { isRunning, newDataDirectory, postmasterPid, temporaryDirectory } from './data-directory.ts'
import { spawnEmbeddedPostgres } from './embedded-postgres-child.ts'

async function start(t: TestContext, dataDir: string, log = silentLog().log): Promise<EmbeddedPostgres> {
  const database = await startEmbeddedPostgres({ dataDir, port: await freePort(), log })
  t.after(() => database.stop())
  return database
}

async function query(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('the embedded database', async (t) => {
  const dataDir = await newDataDirectory(t)

  await t.test('keeps its data and its URL across a restart', async (t) => {
    const port = await freePort()
    const log = silentLog().log
    const before = await startEmbeddedPostgres({ dataDir, port, log })
    await query(
      before.url,
      'drop table if exists kept; create table kept (n int); insert into kept values (7)',
    )
    await before.stop()
    const after = await startEmbeddedPostgres({ dataDir, port, log })
    t.after(() => after.stop())
    assert.equal(after.url, before.url)
    assert.equal(embeddedDatabaseUrl(dataDir, port), after.url)
    assert.deepEqual(await query(after.url, 'select n from kept'), [{ n: 7 }])
  })

  await t.test(
    'listens on loopback only, with a password, durable, in UTF-8 and UTC, regardless of the environment',
    async (t) => {
      process.env.PGOPTIONS = '-c synchronous_commit=off'
      t.after(() => delete process.env.PGOPTIONS)
      const { url } = await start(t, dataDir)
      delete process.env.PGOPTIONS
      const names = [
        'listen_addresses',
        'unix_socket_directories',
        'fsync',
        'synchronous_commit',
        'full_page_writes',
      ]
      const more = ['data_checksums', 'server_encoding', 'TimeZone', 'password_encryption']
      const settings = [...names, ...more].map((name) => `current_setting('${name}') as "${name}"`)
      assert.deepEqual(await query(url, `select ${settings}, upper('é') as upper`), [
        {
          listen_addresses: '127.0.0.1',
          unix_socket_directories: '',
          fsync: 'on',
          synchronous_commit: 'on',
          full_page_writes: 'on',
          data_checksums: 'on',
          server_encoding: 'UTF8',
          TimeZone: 'UTC',
          password_encryption: 'scram-sha-256',
          upper: 'É',
        },
      ])
      const wrong = new URL(url)
      wrong.password = 'guess'
      await assert.rejects(query(wrong.href, 'select 1'), /password authentication failed/)
      assert.equal(statSync(join(dataDir, 'postgres-password')).mode & 0o777, 0o600)
      assert.equal(statSync(join(dataDir, 'postgres')).mode & 0o777, 0o700)
    },
  )

  await t.test('is tuned for its machine, and what the operator sets wins', async (t) => {
    const NAMES = ['shared_buffers', 'max_wal_size', 'checkpoint_timeout']
    const settings = `select ${NAMES.map((name) => `current_setting('${name}') as ${name}`)}`
    const before = await startEmbeddedPostgres({ dataDir, port: await freePort(), log: silentLog().log })
    const [tuned] = await query(before.url, settings)
    assert.deepEqual(
      await query(
        before.url,
        `select name from pg_settings where sourcefile like '%/qs.conf' and not pending_restart
           and name in (${NAMES.map((name) => `'${name}'`)}) order by name`,
      ),
      NAMES.toSorted().map((name) => ({ name })),
    )
    await query(before.url, `alter system set max_wal_size = '112MB'`)
    await before.stop()
    appendFileSync(join(dataDir, 'postgres', 'postgresql.conf'), 'checkpoint_timeout = 7min\n')
    const { url } = await start(t, dataDir)
    assert.deepEqual(await query(url, settings), [
      { shared_buffers: tuned?.shared_buffers, max_wal_size: '112MB', checkpoint_timeout: '7min' },
    ])
    await query(url, 'alter system reset all')
  })

  await t.test('is taken over from a qs killed with -9', async (t) => {
    const { child, url } = spawnEmbeddedPostgres({ dataDir, port: await freePort() })
    await query(
      await url,
      'drop table if exists kept; create table kept (n int); insert into kept values (7)',
    )
    const orphan = postmasterPid(dataDir)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.ok(isRunning(orphan))

    const { log, records } = silentLog()
    const database = await start(t, dataDir, log)
    assert.ok(!isRunning(orphan))
    assert.ok(records.some(({ msg }) => msg.includes(`pid ${orphan}`)))
    assert.deepEqual(await query(database.url, 'select n from kept'), [{ n: 7 }])
  })

  await t.test('starts if the pid in postmaster.pid now belongs to another process', async (t) => {
    const stranger = spawn('sleep', ['60'])
    t.after(() => stranger.kill())
    const owner = statSync(join(dataDir, 'postgres'))
    writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), `${stranger.pid}\n/elsewhere\n1\n5433\n\n\n`)
    chownSync(join(dataDir, 'postgres', 'postmaster.pid'), owner.uid, owner.gid)
    await start(t, dataDir)
    assert.ok(isRunning(stranger.pid ?? 0))
  })

  await t.test('is restarted when it exits unexpectedly', async (t) => {
    const { log, records } = silentLog()
    const { url } = await start(t, dataDir, log)
    await query(url, 'drop table if exists kept; create table kept (n int); insert into kept values (7)')
    process.kill(postmasterPid(dataDir), 'SIGKILL')
    await until(
      () => records.some(({ msg }) => msg === 'PostgreSQL is running again'),
      'it runs again',
      30_000,
    )
    assert.deepEqual(await query(url, 'select n from kept'), [{ n: 7 }])
    assert.ok(records.some(({ level, msg }) => level === 'error' && msg.includes('exited unexpectedly')))
  })

  await t.test('can be stopped while it waits for a restart', async () => {
    const { log, records } = silentLog()
    const database = await startEmbeddedPostgres({ dataDir, port: await freePort(), log })
    process.kill(postmasterPid(dataDir), 'SIGKILL')
    await until(() => records.some(({ msg }) => msg.includes('exited unexpectedly')), 'its end is noticed')
    await database.stop()
    await assert.rejects(query(database.url, 'select 1'), /ECONNREFUSED/)
  })

  await t.test('gets a new password if the file is lost, and reports a wrong one', async (t) => {
    rmSync(join(dataDir, 'postgres-password'))
    assert.equal(embeddedDatabaseUrl(dataDir, 5433), null)
    const database = await start(t, dataDir)
    await query(database.url, 'select 1')
    await database.stop()
    writeFileSync(join(dataDir, 'postgres-password'), 'wrong')
    await assert.rejects(start(t, dataDir), /postgres-password does not contain the password/)
    rmSync(join(dataDir, 'postgres-password'))
  })

  await t.test('names a port in use and its setting', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    t.after(() => other.close())
    const { port } = other.address() as { port: number }
    const started = startEmbeddedPostgres({ dataDir, port, log: silentLog().log })
    await assert.rejects(started, new RegExp(`Port ${port} .*POSTGRES_PORT`))
  })

  await t.test('does not touch data of another major version', async (t) => {
    const path = join(dataDir, 'postgres', 'PG_VERSION')
    writeFileSync(path, '15\n')
    await assert.rejects(start(t, dataDir), /is of PostgreSQL 15, but this qs includes PostgreSQL 18/)
    assert.equal(readFileSync(path, 'utf8'), '15\n')
    writeFileSync(path, '18\n')
  })

  await t.test('fails with the error of PostgreSQL if that does not start', async (t) => {
    writeFileSync(join(dataDir, 'postgres', 'postgresql.conf'), 'shared_buffers = lots\n')
    await assert.rejects(start(t, dataDir), /invalid value for parameter "shared_buffers": "lots"/)
  })
})

test('a kill -9 during initdb does not block the next start, and the leftovers are removed', async (t) => {
  const dataDir = join(temporaryDirectory(t), 'data')
  const drafts = () =>
    (existsSync(dataDir) ? readdirSync(dataDir) : []).filter((name) => name.includes('.new-'))
  const { child, url: ready } = spawnEmbeddedPostgres({ dataDir, port: await freePort() })
  ready.catch(() => {})
  const [draft = ''] = await until(() => drafts().length > 0 && drafts(), 'initdb has begun')
  await until(() => existsSync(join(dataDir, draft, 'PG_VERSION')), 'initdb writes')
  assert.ok(!existsSync(join(dataDir, 'postgres')))
  child.kill('SIGKILL')

  const { url } = await start(t, dataDir)
  assert.deepEqual(await query(url, 'select current_user, current_database()'), [
    { current_user: 'qs', current_database: 'qs' },
  ])
  assert.deepEqual(drafts(), [])
})
