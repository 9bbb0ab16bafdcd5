import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, eventJson } from '@qs-telemetry/testing/decoding.ts'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { seriesRows } from '@qs-telemetry/testing/series-rows.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { type Migration, migrate, readMigrations } from '../../src/database/migrate.ts'
import { compareEvents, readComparisons } from '../../src/sink/compare-events.ts'

test('concurrent runs apply each migration once; a later run has nothing to do', async (t) => {
  const url = await freshDatabase(t)
  const applied = await Promise.all([migrate(url), migrate(url), migrate(url)])
  const names = (await readMigrations()).map(({ name }) => name)
  assert.deepEqual(applied.flat(), names)
  assert.deepEqual(await migrate(url), [])
})

test('a failed migration is rolled back and keeps the existing data', async (t) => {
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

test('a migration that waits for a long statement lets inserts through, and is applied after it', async (t) => {
  const url = await freshDatabase(t)
  const first = { version: 1, name: '0001_a.sql', sql: 'create table a (i int)', checksum: 'a' }
  await migrate(url, [first])
  const reader = new pg.Client({ connectionString: url })
  const writer = new pg.Client({ connectionString: url })
  await Promise.all([reader.connect(), writer.connect()])
  try {
    await reader.query('begin; select from a')
    const second = { version: 2, name: '0002_b.sql', sql: 'alter table a add column j int', checksum: 'b' }
    const busy: string[] = []
    const migrated = migrate(url, [first, second], { onBusy: (name) => busy.push(name) })
    await until(() => busy.length > 0, 'the migration gave way')
    // If the migration waited without limit, this would never end.
    await writer.query('insert into a (i) values (1)')
    await reader.query('commit')
    assert.deepEqual(await migrated, ['0002_b.sql'])
    assert.equal(busy[0], '0002_b.sql')
    assert.deepEqual((await writer.query('select * from a')).rows, [{ i: 1, j: null }])
  } finally {
    await Promise.all([reader.end(), writer.end()])
  }
})

test('a changed migration and a newer database are refused', async (t) => {
  const url = await freshDatabase(t)
  const migration = { version: 1, name: '0001_a.sql', sql: 'create table a ()', checksum: 'a' }
  await migrate(url, [migration])
  await assert.rejects(migrate(url, [{ ...migration, checksum: 'b' }]), /was changed after it was applied/)
  await assert.rejects(migrate(url, []), /newer version/)
})

test('a role without create rights accepts an up-to-date schema', async (t) => {
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

test('the series table is built from the existing events', async (t) => {
  const url = await freshDatabase(t)
  const migrations = await readMigrations()
  await migrate(
    url,
    migrations.filter(({ version }) => version < 7),
  )
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`
      insert into events (event_id, device_id, event_type, value_num, value_text, ts, ts_device, ts_device_raw, ts_server, schema)
      select 'e' || i, 'd' || i % 4, 't' || i % 3, i, case when i % 5 = 0 then repeat('é', 300) end,
        at - i % 7 * interval '1 day', case when i % 2 = 0 then at end, case when i % 11 = 0 then 'soon' end, at, 1
      from (select i, timestamptz '2026-11-20T10:00:00.123456Z' + i % 500 * interval '20.000001 s' as at
        from generate_series(1, 2000) i) x`)
    await migrate(url)
    const { kept, expected } = await seriesRows(client)
    assert.equal(kept.length, 12)
    assert.deepEqual(kept, expected)
  } finally {
    await client.end()
  }
})

test('a fleet gets its summary without reading its events, and its rhythm later', async (t) => {
  const url = await freshDatabase(t)
  const migrations = await readMigrations()
  const silence = migrations.find(({ name }) => name.endsWith('_silence.sql')) as Migration
  await migrate(
    url,
    migrations.filter(({ version }) => version < silence.version),
  )
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`
      insert into devices (device_id, first_seen, last_seen) select 'd' || i, now(), now() from generate_series(0, 9) i;
      insert into events (event_id, device_id, event_type, value_num, ts, ts_device, ts_device_raw, ts_server, schema)
      select 'e' || i, 'd' || i % 9, 't' || i % 5, i, at - i % 7 * interval '1 day',
        case when i % 2 = 0 then at - i % 3 * interval '100 s' end, case when i % 11 = 0 then 'soon' end, at, 1
      from (select i, now() - i * interval '20.000001 s' as at from generate_series(1, 900) i) x;
      select recount_series()`)
    await migrate(url)
    const { rows } = await client.query(`
      select d.types, d.clock, d.clock_offset, d.silent_after, s.types as "ownTypes", s.clock as "ownClock", s.clock_offset as "ownOffset"
      from devices d cross join lateral summary_of(d.device_id) s`)
    assert.equal(rows.length, 10)
    for (const { types, clock, clock_offset: offset, silent_after: silentAfter, ...own } of rows) {
      assert.deepEqual({ ownTypes: types, ownClock: clock, ownOffset: offset }, own)
      assert.equal(silentAfter, null)
    }
    assert.ok(new Set(rows.map(({ clock }) => clock)).size > 2, JSON.stringify(rows))
    const { rows: rhythms } = await client.query('select distinct arrived_at, gaps, silent_after from series')
    assert.deepEqual(rhythms, [{ arrived_at: null, gaps: [], silent_after: null }])
  } finally {
    await client.end()
  }
})

test('an event stored before exact digits were kept is a duplicate of itself, whatever its digits', async (t) => {
  const url = await freshDatabase(t)
  const migrations = await readMigrations()
  const exactValues = migrations.find(({ name }) => name.endsWith('_exact_values.sql')) as Migration
  await migrate(
    url,
    migrations.filter(({ version }) => version < exactValues.version),
  )
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`
      insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select 'e-1', 'dev-1', 'temp', 9007199254740993, at, at, 1 from (select timestamptz '2026-11-20T10:00:00.123456Z' as at) x`)
    await migrate(url)
    // An ingester of the previous version is still running, without the column.
    await client.query(`
      insert into events (event_id, device_id, event_type, value_num, ts, ts_server, schema)
      select 'e-2', device_id, event_type, value_num, ts, ts_server, schema from events`)
    for (const [event_id, value, same] of [
      ['e-1', '9007199254740993', true],
      ['e-1', '9007199254740992', true],
      ['e-1', '9007199254740995', false],
      ['e-2', '9007199254740993', true],
    ] as const) {
      const event = accepted(eventJson({ event_id: `"${event_id}"`, value }))
      const { rows } = await client.query(compareEvents([{ event, tsServer: event.ts }]))
      assert.equal(readComparisons(rows)[0]?.same, same, value)
    }
  } finally {
    await client.end()
  }
})
