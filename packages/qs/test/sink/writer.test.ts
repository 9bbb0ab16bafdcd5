import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { realEdges } from '../../src/app/edges.ts'
import { connect } from '../../src/database/connect.ts'
import { CopyProspects } from '../../src/sink/copy-prospects.ts'
import { NO_MESSAGES } from '../../src/sink/gather.ts'
import { SetUp } from '../../src/sink/set-up.ts'
import { Writer } from '../../src/sink/writer.ts'

const DEVICE = { deviceId: 'd', firstSeen: '2026-11-23T18:00:00Z', lastSeen: '2026-11-23T18:00:00Z' }

async function start(t: TestContext, timeoutMs = 10_000) {
  const url = await migratedDatabase(t)
  const database = new pg.Client({ connectionString: url })
  await database.connect()
  const retries: string[] = []
  const { log, records } = silentLog()
  let connects = 0
  let renewals = 0
  const writer = new Writer({
    ...realEdges(),
    name: 'w',
    connect: () => {
      connects++
      return connect({ url, name: 'qs-writer-test', connectTimeoutMs: 1_000 })
    },
    timeoutMs,
    prospects: new CopyProspects(),
    setUp: new SetUp(),
    log,
    onRetry: (reason) => retries.push(reason),
    onRenewed: () => {
      renewals++
    },
  })
  t.after(async () => {
    writer.stop()
    await database.end()
  })
  return { database, writer, retries, records, connects: () => connects, renewals: () => renewals }
}

test('a batch that waits too long is retried on another connection until it is committed', async (t) => {
  const { database, writer, retries, connects } = await start(t, 150)
  await database.query('begin; lock table devices')
  const written = writer.write(NO_MESSAGES, [DEVICE])
  await until(() => retries.length > 0, 'the first attempt is given up')
  await database.query('commit')
  await written
  assert.match(retries[0] as string, /no answer within 150 ms/)
  assert.ok(connects() > 1)
  assert.equal((await database.query('select from devices')).rowCount, 1)
})

test('the timeout grows with a slow database, and is reset when it is fast again', async (t) => {
  const { database, writer, retries } = await start(t, 300)
  for (let time = 1; time <= 2; time++) {
    await database.query('begin; lock table devices')
    const written = writer.write(NO_MESSAGES, [DEVICE])
    await until(() => retries.length === time * 2, 'two attempts are given up')
    await database.query('commit')
    await written
    await writer.write(NO_MESSAGES, [{ ...DEVICE, deviceId: 'e' }])
  }
  const patience = retries.map((reason) => /\d+/.exec(reason)?.[0])
  assert.deepEqual(patience, ['300', '600', '300', '600'])
})

test('a batch of many statements may take longer than the timeout if each is answered within it', async (t) => {
  const { database, writer, retries } = await start(t, 1_000)
  await database.query(`
    create function take_time() returns trigger language plpgsql as $$ begin perform pg_sleep(0.7); return new; end $$;
    create trigger slow_insert before insert on devices for each row execute function take_time();
    create constraint trigger slow_commit after insert on devices deferrable initially deferred
      for each row execute function take_time()`)
  await writer.write(NO_MESSAGES, [DEVICE])
  assert.deepEqual(retries, [])
  assert.equal((await database.query('select from devices')).rowCount, 1)
})

test('a connection terminated by the server is replaced', async (t) => {
  const { database, writer, connects } = await start(t)
  await writer.write(NO_MESSAGES, [DEVICE])
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'qs-writer-test'`,
  )
  await writer.write(NO_MESSAGES, [{ ...DEVICE, deviceId: 'e' }])
  assert.equal(connects(), 2)
  assert.equal((await database.query('select from devices')).rowCount, 2)
})

test('a connection that failed during a batch is replaced, and the other writers are notified', async (t) => {
  const { database, writer, renewals } = await start(t)
  await database.query('begin; lock table devices')
  const written = writer.write(NO_MESSAGES, [DEVICE])
  const end = `select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'qs-writer-test' and wait_event_type = 'Lock'`
  await until(async () => {
    // Within a transaction pg_stat_activity does not change.
    await database.query('select pg_stat_clear_snapshot()')
    return (await database.query(end)).rowCount === 1
  }, 'the waiting session is terminated')
  await until(() => renewals() === 1, 'the others are notified')
  await database.query('commit')
  await written
  assert.equal(renewals(), 1)
})

test('a writer whose connection is doubted gives it up after a second of silence, without doubting others', async (t) => {
  const { database, writer, retries, connects, renewals } = await start(t)
  await database.query('begin; lock table devices')
  const written = writer.write(NO_MESSAGES, [DEVICE])
  await until(() => connects() === 1, 'it has a connection')
  await until(() => {
    writer.doubt()
    return retries.length > 0
  }, 'it tries again')
  await database.query('commit')
  await written
  assert.match(retries[0] as string, /no answer within 1000 ms/)
  assert.equal(renewals(), 0)
  assert.ok(connects() > 1)

  const before = connects()
  writer.doubt()
  await writer.write(NO_MESSAGES, [{ ...DEVICE, deviceId: 'e' }])
  assert.equal(connects(), before + 1, 'an idle one is replaced')
})

test('a table missing from the start stops the writer', async (t) => {
  const { database, writer } = await start(t)
  await database.query('drop table devices cascade')
  await assert.rejects(writer.write(NO_MESSAGES, [DEVICE]), { code: '42P01' })
})

test('a serialization failure is retried and logged once, as is a table that disappears', async (t) => {
  const { database, writer, records, retries } = await start(t)
  await database.query(`
    create sequence tries;
    create function fail_twice() returns trigger language plpgsql as $$ begin
      if nextval('tries') < 4 then raise exception 'try again' using errcode = '40001'; end if;
      return new;
    end $$;
    create trigger fail_twice before insert on devices for each row execute function fail_twice()`)
  await writer.write(NO_MESSAGES, [DEVICE])
  assert.equal((await database.query('select from devices')).rowCount, 1)
  assert.deepEqual(
    records.filter(({ level }) => level === 'warn').map(({ failures, reason }) => [failures, reason]),
    [
      [1, 'try again'],
      [2, 'try again'],
    ],
  )
  await database.query('alter table devices rename to gone')
  const written = writer.write(NO_MESSAGES, [DEVICE])
  await until(() => retries.length > 3, 'it is tried again')
  await database.query('alter table gone rename to devices')
  await written
  assert.match(retries.at(-1) as string, /devices/)
})

test('the state of a session does not outlive it: read-only ends with the next connection', async (t) => {
  const { database, writer, retries, connects } = await start(t)
  const { rows } = await database.query<{ name: string }>('select current_database() as name')
  await database.query(`alter database ${rows[0]?.name} set default_transaction_read_only = on`)
  const written = writer.write(NO_MESSAGES, [DEVICE])
  await until(() => retries.length > 0, 'the first attempt is refused')
  await database.query(`alter database ${rows[0]?.name} reset default_transaction_read_only`)
  await written
  assert.match(retries[0] as string, /read-only transaction/)
  assert.ok(connects() > 1)
})

test('a database that accepts a connection and then stays silent is given up, and stop ends the wait', async (t) => {
  const silent = createServer((socket) => socket.on('error', () => {}))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const retries: string[] = []
  const url = `postgresql://u:p@127.0.0.1:${port}/d`
  const writer = new Writer({
    ...realEdges(),
    name: 'w',
    connect: () => connect({ url, name: 'test', connectTimeoutMs: 100 }),
    timeoutMs: 1_000,
    prospects: new CopyProspects(),
    setUp: new SetUp(),
    log: silentLog().log,
    onRetry: (reason) => retries.push(reason),
  })
  const written = writer.write(NO_MESSAGES, [DEVICE])
  await until(() => retries.length > 1, 'it is tried again')
  writer.stop()
  await assert.rejects(written, { name: 'AbortError' })
})
