import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { migrate, readMigrations } from '../../src/database/migrate.ts'
import { freshDatabase } from '../support/postgres.ts'

test('several at once apply each migration once; the second time there is nothing to do', async (t) => {
  const url = await freshDatabase(t)
  const applied = await Promise.all([migrate(url), migrate(url), migrate(url)])
  const names = (await readMigrations()).map(({ name }) => name)
  assert.deepEqual(applied.flat(), names)
  assert.deepEqual(await migrate(url), [])
})

test('a migration that fails leaves nothing of itself and keeps what was there', async (t) => {
  const url = await freshDatabase(t)
  await migrate(url, [
    { version: 1, name: '0001_a.sql', sql: 'create table a (); insert into a default values', checksum: 'a' },
  ])
  const broken = { version: 2, name: '0002_b.sql', sql: 'create table b (); select 1/0', checksum: 'b' }
  const first = { version: 1, name: '0001_a.sql', sql: '', checksum: 'a' }
  await assert.rejects(migrate(url, [first, broken]), /Migration 0002_b.sql failed.*division by zero/)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(`select to_regclass('b') as b, (select count(*)::int from a) as a`)
  await client.end()
  assert.deepEqual(rows, [{ b: null, a: 1 }])
})

test('a changed migration and a database of a newer version are refused', async (t) => {
  const url = await freshDatabase(t)
  const migration = { version: 1, name: '0001_a.sql', sql: 'create table a ()', checksum: 'a' }
  await migrate(url, [migration])
  await assert.rejects(migrate(url, [{ ...migration, checksum: 'b' }]), /was changed after it was applied/)
  await assert.rejects(migrate(url, []), /newer version/)
})

test('a role that may create nothing finds an up-to-date schema up to date', async (t) => {
  const url = await freshDatabase(t)
  await migrate(url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const role = `qs_test_${Date.now()}`
  await client.query(`create role ${role} login; grant select on schema_migrations to ${role}`)
  t.after(async () => {
    await client.query(`drop owned by ${role}; drop role ${role}`)
    await client.end()
  })
  const asRole = new URL(url)
  asRole.username = role
  assert.deepEqual(await migrate(asRole.href), [])
})
