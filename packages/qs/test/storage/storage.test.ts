import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Storage } from '@qs-telemetry/protocol/api'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import pg from 'pg'

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

test('an empty database does not grow', async (t) => {
  const env = { DATABASE_URL: await migratedDatabase(t) }
  const { growth, events } = JSON.parse((await runCommand(['storage', '--json'], env)).stdout) as Storage
  assert.deepEqual([growth.bytesPerDay, growth.eventsPerDay, events.sealed], [0, 0, 0])
})

test('the first events are counted before PostgreSQL has looked at them', async (t) => {
  const url = await migratedDatabase(t)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  await client.query(
    `insert into events (event_id, device_id, event_type, ts, ts_server, schema) values ('d-1', 'd', 't', now(), now(), 1)`,
  )
  const { stdout } = await runCommand(['storage', '--json'], { DATABASE_URL: url })
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
