import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Storage } from '@qs-telemetry/protocol/api'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import pg from 'pg'
import { askClient } from '../../src/database/ask-client.ts'
import { storageReport } from '../../src/storage/storage-report.ts'

async function open(t: TestContext) {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  const report = () =>
    storageReport(askClient(client), {
      ...{ sealAfterDays: 30, dataDirectory: null, backupDirectory: null, nowMs: Date.now() },
    })
  return { client, report, env: { DATABASE_URL: url } }
}

test('qs storage adds up what uses the disk, and says how long it lasts', async (t) => {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  await client.query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select 'd-' || n, 'd', 't', n, now(), now(), 1 from generate_series(1, 20000) n;
    insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
      select date_trunc('minute', now() - interval '2 days'), 'w', 20000, 20000, 20000, 0, 0;
    analyze events`)
  const env = { DATABASE_URL: url, SEAL_AFTER: 'never' }
  const { code, stdout, stderr } = await runQs(t, ['storage', '--json'], { env })
  assert.equal(code, 0, stderr)
  const { parts, events, growth, disk, lasts, settings } = JSON.parse(stdout) as Storage

  const bytesOf = (name: string) => parts.find((part) => part.name === name)?.bytes ?? 0
  const [sizes] = (
    await client.query<{ rows: number; all: number }>(
      `select pg_total_relation_size('events')::float8 as rows, pg_database_size(current_database())::float8 as all`,
    )
  ).rows
  assert.equal(bytesOf('rows') + bytesOf('indexes'), sizes?.rows)
  const inDatabase = parts.filter(({ name }) => name !== 'WAL' && name !== 'backups')
  assert.equal(
    inDatabase.reduce((sum, { bytes }) => sum + bytes, 0),
    sizes?.all,
  )
  assert.ok(bytesOf('WAL') > 0)
  assert.deepEqual([events.rows, events.bytesPerRow], [20_000, Number(sizes?.rows) / 20_000])
  assert.ok(growth !== null)
  assert.ok(growth.eventsPerDay > 9_900 && growth.eventsPerDay < 10_001)
  assert.ok(disk !== null && disk.freeBytes < disk.totalBytes)
  const days = disk.freeBytes / growth.bytesPerDay
  assert.ok(lasts === null ? days > 36_000 : Math.abs(lasts.days / days - 1) < 0.01)
  assert.ok(settings.some(({ name, value }) => name === 'shared_buffers' && value !== ''))

  const text = await runQs(t, ['storage'], { env })
  assert.match(text.stdout, /^ +[\d.]+ (bytes|KB|MB) {2}\w+ +█+/)
  assert.match(text.stdout, /\nevents {3}20000 rows of \d+ bytes, 0 sealed events\n/)
  assert.match(text.stdout, /\ndisk {5}[\d.]+ [GT]B of [\d.]+ [GT]B are free; lasts /)
})

test('how a database grows is unknown until an hour after its first event', async (t) => {
  const { client, report, env } = await open(t)
  assert.deepEqual([(await report()).growth, (await report()).lasts], [null, null])
  await client.query(`
    insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
      values (now() - interval '59 minutes', 'w', 1, 1, 1, 0, 0)`)
  assert.equal((await report()).growth, null)
  assert.match(
    (await runQs(t, ['storage'], { env })).stdout,
    /\ngrowth {3}known an hour after the first event\n/,
  )
  await client.query(`
    insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
      values (now() - interval '9 days', 'w', 700, 700, 700, 0, 0)`)
  // A week ago and longer does not count, but says that events would have been counted.
  assert.equal((await report()).growth?.eventsPerDay, 1 / 7)
})

test('after many rows were sealed, their space counts neither as rows nor as growth', async (t) => {
  const { client, report } = await open(t)
  await client.query(`
    insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select 'd-' || n, 'd', 't', n, at, at, 1
      from generate_series(1, 60000) n, lateral (select now() + n * interval '1 ms' as at) a;
    insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
      select now() - interval '2 days', 'w', 20000, 20000, 20000, 0, 0;
    analyze events`)
  const bytesOf = ({ parts }: Storage) => parts.find(({ name }) => name === 'rows')?.bytes ?? 0
  const before = await report()
  await client.query(`delete from events where substr(event_id, 3)::int <= 48000`)
  await client.query('vacuum analyze events')
  const after = await report()
  assert.ok(bytesOf(after) >= bytesOf(before) && after.events.rows === 12_000)
  assert.ok(
    Math.abs(after.events.bytesPerRow / before.events.bytesPerRow - 1) < 0.3,
    `${after.events.bytesPerRow}`,
  )
  const [grew, grows] = [before.growth?.bytesPerDay ?? 0, after.growth?.bytesPerDay ?? 0]
  assert.ok(Math.abs(grows / grew - 1) < 0.3, `${grew}, ${grows}`)
})

test('what KEEP_EVENTS and its exceptions keep bounds the forecast', async (t) => {
  const { client, report } = await open(t)
  await client.query(`
    insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
      select now() - interval '2 days', 'w', 20000, 20000, 20000, 0, 0`)
  // To the thousand: it may be a second more than two days.
  const grows = async () =>
    Math.round(((await report()).growth?.laterBytesPerDay ?? Number.NaN) / 1_000) * 1_000
  // 10,000 events a day, 20 bytes each once they are sealed.
  assert.equal(await grows(), 200_000)
  await client.query(`update retention set keep_events = '90 days'`)
  assert.equal(await grows(), 0)
  await client.query(`insert into retention_exceptions values ('*', 'door', null)`)
  assert.equal(await grows(), 200_000)
})

test('the first events are counted before PostgreSQL has looked at them', async (t) => {
  const { client, env } = await open(t)
  await client.query(
    `insert into events (event_id, device_id, event_type, ts, ts_server, schema) values ('d-1', 'd', 't', now(), now(), 1)`,
  )
  const { stdout } = await runCommand(['storage', '--json'], env)
  assert.equal((JSON.parse(stdout) as Storage).events.rows, 1)
})

test('qs storage says that it does not know the disk of another role, and gives the rest', async (t) => {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const role = `reader_${process.pid}`
  const grant = `create role ${role} login password 'x'; grant select on all tables in schema public to ${role}`
  await client.query(grant)
  t.after(async () => {
    await client.query(`drop owned by ${role}; drop role ${role}`)
    await client.end()
  })
  const reader = new URL(url)
  ;[reader.username, reader.password] = [role, 'x']
  const { code, stdout, stderr } = await runQs(t, ['storage'], { env: { DATABASE_URL: reader.href } })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /\ndisk {5}on another machine, or this role may not see where\n/)
  assert.match(stdout, /\nWAL {6}not included: this role may not see its size/)
})

test('the rows of a distributed table count, which are on the workers of Citus', async (t) => {
  const { client, report } = await open(t)
  // What Citus 13.2 offers, with figures of its own.
  await client.query(`
    create table pg_dist_partition as select 'events'::regclass as logicalrelid, 'h'::"char" as partmethod;
    create function citus_table_size(regclass) returns bigint language sql as 'select 3000';
    create function citus_total_relation_size(regclass) returns bigint language sql as 'select 5000';
    create function run_command_on_shards(regclass, text) returns table (result text) language sql as
      'select * from (values (''40''), (''-1''), (''2'')) shard'`)
  const { parts, events } = await report()
  const bytesOf = (name: string) => parts.find((part) => part.name === name)?.bytes
  assert.deepEqual([bytesOf('rows'), bytesOf('indexes'), events.rows], [3000, 2000, 42])
})
