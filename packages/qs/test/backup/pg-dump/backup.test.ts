import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { debianBin, debianPostgresMissing } from '@qs-telemetry/testing/debian-postgres.ts'
import { freshTarget, migratedTarget } from '@qs-telemetry/testing/owners-databases.ts'
import type { TestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import { lockedCluster, runRoles, session, urlOf } from '@qs-telemetry/testing/roles.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import pg from 'pg'
import { dumpBackup as backup } from '../../../src/backup/pg-dump/backup.ts'
import { manifestPath, readManifest } from '../../../src/backup/pg-dump/backup-manifest.ts'
import { restoreDump as restore } from '../../../src/backup/pg-dump/restore.ts'
import { InstanceLock } from '../../../src/database/instance-lock.ts'
import { migrate, readMigrations } from '../../../src/database/migrate.ts'

const ROWS = 100_000

/** PostgreSQL 15, the oldest supported version, with an owner that is not a superuser. */
let cluster: TestCluster
/** A backup of at least ROWS events, taken while others arrived. */
let saved: string
let seenByOthers: number
/** A tenth of that. */
let small: string
const directory = mkdtempSync(join(tmpdir(), 'qs-backup-'))
const skip = debianPostgresMissing

before(async () => {
  if (skip) return
  cluster = await lockedCluster({ bin: debianBin() })
  await runRoles(cluster)
  const url = urlOf(cluster, 'qs')
  await migrate(url)
  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  await owner.query(ODD_ROWS)
  let stop = false
  let others = 0
  const load = (async () => {
    const ingester = new pg.Client({ connectionString: urlOf(cluster, 'qs_ingester') })
    await ingester.connect()
    for (; !stop; others++)
      await ingester.query(
        `insert into events (event_id, device_id, event_type, ts, ts_server, schema)
        values ('during-' || $1, 'd', 't', now(), now(), 1)`,
        [others],
      )
    await ingester.end()
  })()
  await until(() => others > 10, 'events come in')
  saved = join(directory, 'saved.dump')
  await backup({ databaseUrl: url, file: saved, signal: never(), onRows: () => {} })
  stop = true
  await load
  seenByOthers = others
  await owner.query(`delete from events where event_id !~ '7$'`)
  small = join(directory, 'small.dump')
  await backup({ databaseUrl: url, file: small, signal: never(), onRows: () => {} })
  await owner.end()
})
after(async () => {
  await cluster?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const ODD_ROWS = `
  insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local,
    ts_device_raw, ts_server, schema, meta)
  select 'e' || n, 'd' || n % 97, 't' || n % 7,
    case n % 9 when 0 then 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' when 3 then '-0'
      when 4 then 5e-324 when 5 then 1.7976931348623157e308 when 6 then null else n / 7.0 end,
    case n % 5 when 0 then 'größe 温度 🌡 ' || n when 1 then E'tab\\tline\\nback\\\\slash \\\\. \\\\N' when 2 then '' end,
    case n % 3 when 0 then '°C' end,
    timestamptz '2026-01-01Z' + n * interval '1.000001 s', case n % 2 when 0 then 'infinity' else now() end,
    case n % 4 when 0 then timestamp '2026-11-01 01:30:00.123456' end, case n % 11 when 0 then 'gestern' end,
    timestamptz '2026-01-01Z' + n * interval '1.000001 s', 1,
    case n % 6 when 0 then jsonb_build_object('n', n, 'big', 123456789012345678901234567890.5, 'ü', array[null, '"\\'])
      when 1 then 'null' end
  from generate_series(1, ${ROWS}) n;
  insert into devices select 'd' || n, now(), now(), 'Asia/Tokyo', 'Küche' from generate_series(0, 96) n;
  insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
  select now(), 'qs/v1/d/events', 'X', 'e', 't', decode(lpad(to_hex(n), 4, '0'), 'hex') || '\\x00ff0a5c'::bytea, md5(n::text)::uuid
  from generate_series(1, 500) n;
  insert into dead_letter_history (dead_letter_id, action, payload, outcome)
  select dead_letter_id, 'replayed', '\\x00ff'::bytea, 'stored' from dead_letters where dead_letter_id % 9 = 0;
  insert into dead_letters_counted values (date_trunc('minute', now()), '', 'X', 7, 700);
  insert into ingest_stats values (date_trunc('minute', now()), 'w', 1, 3, 1, 1, 1);
  select recount_series()`

function never(): AbortSignal {
  return new AbortController().signal
}

const put = (databaseUrl: string, file: string, replace = false, signal = never()) =>
  restore({ databaseUrl, file, replace, signal, onRows: () => {} })

async function count(t: TestContext, url: string): Promise<number> {
  const client = await session(t, url)
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from events')
  return Number(rows[0]?.n)
}

test('a backup under load is one snapshot, and is restored to the last bit in a fresh database', {
  skip,
}, async (t) => {
  const manifest = readManifest(saved)
  const events = manifest.tables.find(({ table }) => table === 'events')?.rows ?? 0
  assert.ok(
    events > ROWS && events < ROWS + seenByOthers,
    `${events} events, ${seenByOthers} came in meanwhile`,
  )
  assert.equal(statSync(saved).mode & 0o777, 0o600)
  const rowsOf = (name: string) => manifest.tables.find(({ table }) => table === name)?.rows
  assert.deepEqual([rowsOf('dead_letter_history'), rowsOf('dead_letters_counted')], [55, 1])

  const target = await freshTarget(t, cluster)
  const restored = await put(target, saved)
  assert.deepEqual(restored, { manifest, isCitus: false, migrated: [] })
  const owner = await session(t, target)
  const { rows: unanalyzed } = await owner.query(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and reltuples < 0`,
  )
  assert.deepEqual(unanalyzed, [], 'every table has statistics')
  const { rows } = await owner.query(
    `select value_num::text as num, value_text, ts::text, meta::text from events where event_id in ('e9', 'e96') order by 1`,
  )
  const meta = '{"n": 96, "ü": [null, "\\"\\\\"], "big": 123456789012345678901234567890.5}'
  assert.deepEqual(rows, [
    { num: 'NaN', value_text: null, ts: '2026-01-01 00:00:09.000009+00', meta: null },
    { num: null, value_text: 'tab\tline\nback\\slash \\. \\N', ts: '2026-01-01 00:01:36.000096+00', meta },
  ])
  // The identity column continues where it was, and the roles have their rights.
  await owner.query(`insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
    values (now(), 't', 'X', 'e', 't', '', gen_random_uuid())`)
  const { rows: last } = await owner.query('select max(dead_letter_id)::int as id from dead_letters')
  assert.deepEqual(last, [{ id: 501 }])
  const { rows: rights } = await owner.query(
    `select has_table_privilege('grafana', 'events', 'select') as reads, has_table_privilege('qs_ingester', 'events', 'delete') as deletes`,
  )
  assert.deepEqual(rights, [{ reads: true, deletes: false }])
})

test('a database with events is left alone without --replace, and equals the backup with it', {
  skip,
}, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into events (event_id, device_id, event_type, ts, ts_server, schema)
    values ('mine', 'd', 't', now(), now(), 1); create table newer ()`)
  await assert.rejects(put(target, small), /contains events.*--replace/)
  assert.equal(await count(t, target), 1)
  await put(target, small, true)
  const { rows } = await owner.query(
    `select to_regclass('newer') as newer, (select count(*)::int from events where event_id = 'mine') as mine`,
  )
  assert.deepEqual(rows, [{ newer: null, mine: 0 }])
})

test('nothing is restored while an ingester writes, and the error names it', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  // A role other than the owner, which sees little of its session.
  const url = new URL(target)
  const ingester = new URL(urlOf(cluster, 'qs_ingester'))
  url.username = ingester.username
  url.password = ingester.password
  const lock = new InstanceLock({
    url: url.href,
    name: 'kitchen-ingester',
    log: silentLog().log,
    onLost: () => {},
  })
  await lock.acquire()
  await assert.rejects(put(target, small), /kitchen-ingester.*Stop it first/)
  lock.release()
})

test('a damaged file, a missing or foreign manifest and a newer version are refused before anything changes', {
  skip,
}, async (t) => {
  const target = await freshTarget(t, cluster)
  const broken = join(directory, 'broken.dump')
  const bytes = readFileSync(small)
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  writeFileSync(broken, bytes)
  await assert.rejects(put(target, broken), /broken.dump.json is missing/)
  const manifest = readManifest(small)
  const cases: readonly [object | string, RegExp][] = [
    ['{', /cannot be read/],
    [{}, /is not a backup manifest/],
    [
      { ...manifest, tables: [{ table: 'events', rows: 1, checksum: `'; drop` }] },
      /is not a backup manifest/,
    ],
    [manifest, /broken.dump is damaged/],
  ]
  for (const [content, message] of cases) {
    writeFileSync(manifestPath(broken), typeof content === 'string' ? content : JSON.stringify(content))
    await assert.rejects(put(target, broken), message)
  }
  copyFileSync(small, broken)
  writeFileSync(manifestPath(broken), JSON.stringify({ ...manifest, schemaVersion: 9999 }))
  await assert.rejects(put(target, broken), /schema version 9999.*newer version of qs/)
  writeFileSync(manifestPath(broken), JSON.stringify({ ...manifest, pgDumpMajor: 99 }))
  await assert.rejects(
    put(target, broken),
    /pg_restore of PostgreSQL 99 or newer is needed \(postgresql-client-99\)/,
  )
  const owner = await session(t, target)
  assert.deepEqual((await owner.query(`select to_regclass('events') as events`)).rows, [{ events: null }])
})

test('rows that differ from the manifest are not committed, and the old rows stay', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into devices values ('old', now(), now())`)
  const other = join(directory, 'other.dump')
  copyFileSync(small, other)
  const manifest = readManifest(small)
  const tables = manifest.tables.map((each) => (each.table === 'devices' ? { ...each, checksum: '1' } : each))
  writeFileSync(manifestPath(other), JSON.stringify({ ...manifest, tables }))
  await assert.rejects(
    put(target, other),
    /table devices differs from the backup: 97 rows.*database is unchanged/s,
  )
  assert.deepEqual((await owner.query('select device_id from devices')).rows, [{ device_id: 'old' }])
})

test('a dependent view in another schema stops the restore instead of vanishing', {
  skip,
}, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query('create schema reports; create view reports.mine as select * from events')
  await assert.rejects(
    put(target, small),
    /view reports.mine depends on table events.*database is unchanged/s,
  )
  await owner.query('drop schema reports cascade')
  await put(target, small)
})

test('a backup of an older version is migrated forward', { skip }, async (t) => {
  const [source, target] = [await freshTarget(t, cluster), await freshTarget(t, cluster)]
  const shipped = await readMigrations()
  await migrate(source, shipped.slice(0, -1))
  const file = join(directory, 'older.dump')
  await backup({ databaseUrl: source, file, signal: never(), onRows: () => {} })
  const { migrated } = await put(target, file)
  assert.deepEqual(migrated, [shipped.at(-1)?.name])
  assert.equal(await count(t, target), 0)
})

test('an interrupted or truncated restore leaves the old rows', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into devices values ('old', now(), now())`)
  const watcher = await session(t, cluster.url)
  const copying = async () => {
    const { rows } = await watcher.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'qs-restore (copy)' and query like 'COPY%events%'`,
    )
    return rows[0]?.pid
  }
  const stop = new AbortController()
  const stopped = assert.rejects(put(target, saved, false, stop.signal), /enough/)
  await until(copying, 'rows are copied')
  stop.abort(new Error('enough'))
  await stopped
  await until(async () => (await copying()) === undefined, 'the session ended')

  const cut = assert.rejects(put(target, saved), /database is unchanged/)
  await watcher.query('select pg_terminate_backend($1)', [await until(copying, 'rows are copied again')])
  await cut
  assert.deepEqual((await owner.query('select device_id from devices')).rows, [{ device_id: 'old' }])
})

test('a failed or stopped backup leaves no file', { skip }, async () => {
  const folder = join(directory, 'failed')
  const options = { file: join(folder, 'x.dump'), signal: never(), onRows: () => {} }
  await assert.rejects(backup({ ...options, databaseUrl: urlOf(cluster, 'grafana') }), /permission denied/)
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(backup({ ...options, databaseUrl: urlOf(cluster, 'qs'), signal }), /enough/)
  assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], [])
})

test('a backup that cannot fit is refused before it writes, with what it needs and what is free', {
  skip,
}, async (t) => {
  const databaseUrl = urlOf(cluster, 'qs')
  await (await session(t, databaseUrl)).query('analyze events')
  const folder = join(directory, 'full')
  const options = { databaseUrl, file: join(folder, 'x.dump'), signal: never(), onRows: () => {} }
  await assert.rejects(backup({ ...options, freeBytes: () => 1_000 }), {
    code: 'BACKUP_NO_ROOM',
    message: /needs at least \d+ KB, but .*full has 1\.0 KB free/,
  })
  assert.deepEqual(readdirSync(folder), [])
})

test('rows that pg_dump would leave out without a word are no backup', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  const file = join(directory, 'nothing.dump')
  const save = () => backup({ databaseUrl: target, file, signal: never(), onRows: () => {} })
  await owner.query(`create schema elsewhere; create table elsewhere.chunk () inherits (events)`)
  await assert.rejects(save(), /rows of events are in another schema.*without --pg-dump saves them/)
  // As on Citus, where the workers have the rows.
  await owner.query('drop schema elsewhere cascade; create table pg_dist_partition ()')
  await assert.rejects(save(), { code: 'BACKUP_ON_CITUS' })
  assert.ok(!existsSync(file))
})
