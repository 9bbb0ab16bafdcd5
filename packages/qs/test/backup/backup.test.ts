import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
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
import { backup, type Saved } from '../../src/backup/backup.ts'
import { type Manifest, readManifest, summaryOf } from '../../src/backup/manifest.ts'
import { removeOldBackups } from '../../src/backup/remove-backups.ts'
import { restore } from '../../src/backup/restore.ts'
import { pathOf } from '../../src/backup/saved-file.ts'
import { InstanceLock } from '../../src/database/instance-lock.ts'
import { migrate, readMigrations } from '../../src/database/migrate.ts'
import { oddRows } from './odd-rows.ts'

const ROWS = 20_000
/** In each of the two thousand events a second that arrive during the backup. */
const PER_BATCH = 100

/** PostgreSQL 15, the oldest supported version, with an owner that is not a superuser. */
let cluster: TestCluster
/** A backup taken while events arrive in batches of PER_BATCH. */
let saved: Saved
/** How many events had been committed when the backup began and when it ended. */
let committed: { readonly before: number; readonly after: number }
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
  await owner.query(oddRows(ROWS))
  await owner.end()
  const ingester = new pg.Client({ connectionString: urlOf(cluster, 'qs_ingester') })
  await ingester.connect()
  let [isEnded, batches] = [false, 0]
  const load = (async () => {
    while (!isEnded) {
      await ingester.query(
        `insert into events (event_id, device_id, event_type, ts, ts_server, schema)
         select 'during-' || $1 || '-' || n, 'd', 't', now(), now(), 1 from generate_series(1, ${PER_BATCH}) n`,
        [batches],
      )
      batches++
    }
  })()
  await until(() => batches > 10, 'events come in')
  const first = batches
  saved = await save(url, directory)
  committed = { before: first, after: batches }
  isEnded = true
  await load
  await ingester.end()
})
after(async () => {
  await cluster?.stop()
  rmSync(directory, { recursive: true, force: true })
})

interface SaveOptions {
  readonly leaveOutOthers?: boolean
  readonly now?: Date
  readonly signal?: AbortSignal
  readonly onRows?: (done: number, total: number) => void
}

function save(databaseUrl: string, folder: string, options: SaveOptions = {}): Promise<Saved> {
  return backup({
    ...{ databaseUrl, folder, now: new Date(), leaveOutOthers: false, signal: never(), onRows: () => {} },
    ...options,
  })
}

function never(): AbortSignal {
  return new AbortController().signal
}

const put = (databaseUrl: string, file: string, replace = false, signal = never()) =>
  restore({ databaseUrl, file, replace, signal, onRows: () => {} })

/** The same with a few rows, and a backup of them. */
async function smallBackup(t: TestContext): Promise<Saved> {
  const source = await migratedTarget(t, cluster)
  await (await session(t, source)).query(oddRows(100))
  return save(source, mkdtempSync(join(directory, 'small-')))
}

function freshFolder(): string {
  return mkdtempSync(join(directory, 'folder-'))
}

async function count(client: pg.Client, table = 'events'): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${table}`)
  return Number(rows[0]?.n)
}

const rowsOf = ({ tables }: Manifest, name: string) => {
  const table = tables.find((each) => each.table === name)
  return table && summaryOf(table).rows
}

test('a backup under load is one snapshot, and is restored to the last bit in a fresh database', {
  skip,
}, async (t) => {
  const { manifest, path } = saved
  const during = (rowsOf(manifest, 'events') ?? 0) - ROWS
  assert.equal(during % PER_BATCH, 0, 'half a batch is no snapshot')
  assert.ok(during >= committed.before * PER_BATCH && during <= committed.after * PER_BATCH, `${during}`)
  assert.ok(committed.after > committed.before, 'events came in during the backup')
  assert.deepEqual(readManifest(path), manifest)

  const target = await freshTarget(t, cluster)
  assert.deepEqual(await put(target, path), { manifest, isCitus: false, migrated: [] })
  const [was, is] = [await session(t, urlOf(cluster, 'qs')), await session(t, target)]
  const sample = `select array_agg(e::text order by event_id) as rows from events e where device_id ~ '^d[0-9]' and event_id !~ '^during'`
  assert.deepEqual((await is.query(sample)).rows, (await was.query(sample)).rows)
  const { rows } = await is.query<{ batch: string; n: string }>(
    `select split_part(event_id, '-', 2)::int as batch, count(*) as n from events where event_id ~ '^during' group by 1 order by 1`,
  )
  assert.equal(rows.length, during / PER_BATCH, 'the first batches, without a gap')
  assert.ok(rows.every(({ n }) => Number(n) === PER_BATCH))
  // The identity column continues where it was, and the roles have their rights.
  await is.query(`insert into dead_letters (received_at, topic, code, error, trace, payload, fingerprint)
    values (now(), 't', 'X', 'e', 't', '', gen_random_uuid())`)
  const { rows: last } = await is.query('select max(dead_letter_id)::int as id from dead_letters')
  assert.deepEqual(last, [{ id: 501 }])
  const { rows: rights } = await is.query(
    `select has_table_privilege('grafana', 'events', 'select') as reads, has_table_privilege('qs_ingester', 'events', 'delete') as deletes`,
  )
  assert.deepEqual(rights, [{ reads: true, deletes: false }])
})

test('a restored schema has every index, constraint and comment of a new one', { skip }, async (t) => {
  const [restored, fresh] = [await freshTarget(t, cluster), await migratedTarget(t, cluster)]
  await put(restored, (await smallBackup(t)).path)
  const catalog = async (url: string) => {
    const client = await session(t, url)
    const { rows } = await client.query(`
      select pg_get_indexdef(indexrelid) as text from pg_index i join pg_class c on c.oid = indrelid
      where relnamespace = 'public'::regnamespace
      union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
      union all select c.relname || coalesce('.' || attname, '') || ' ' || d.description from pg_description d
        join pg_class c on c.oid = objoid and classoid = 'pg_class'::regclass and relnamespace = 'public'::regnamespace
        left join pg_attribute a on attrelid = c.oid and attnum = objsubid and objsubid > 0
      union all select relname || ' ' || coalesce(relacl::text, '') from pg_class where relnamespace = 'public'::regnamespace
      order by 1`)
    return rows
  }
  assert.deepEqual(await catalog(restored), await catalog(fresh))
})

test('only the owner can read the files of a backup', { skip }, () => {
  assert.equal(statSync(saved.path).mode & 0o777, 0o600)
  for (const { file } of saved.manifest.tables.flatMap(({ parts }) => parts))
    assert.equal(statSync(pathOf(directory, file)).mode & 0o777, 0o600)
})

test('a backup reports its progress up to all rows', { skip }, async () => {
  const calls: [number, number][] = []
  const { manifest } = await save(urlOf(cluster, 'qs'), freshFolder(), {
    onRows: (done, total) => void calls.push([done, total]),
  })
  const all = manifest.tables.reduce((sum, table) => sum + summaryOf(table).rows, 0)
  assert.deepEqual(calls.at(-1), [all, all])
  assert.ok(calls.length > 10, `${calls.length} calls`)
  assert.ok(calls.every(([done, total], index) => done <= total && done >= (calls[index - 1]?.[0] ?? 0)))
})

test('equal files are shared by the backups of a folder, and removed with the last backup that needs them', {
  skip,
}, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(oddRows(100))
  const folder = freshFolder()
  const files = () => readdirSync(join(folder, 'files')).length
  await save(target, folder, { now: new Date('2026-11-25T03:15:00Z') })
  const before = files()
  await owner.query(`delete from events where event_id = 'e1'`)
  const second = await save(target, folder, { now: new Date('2026-11-26T03:15:00Z') })
  assert.equal(files(), before + 1)
  for (const mine of ['mine.json', join('files', 'mine.gz')]) writeFileSync(join(folder, mine), '')
  assert.deepEqual(removeOldBackups(folder, { keep: 1, made: second.path, nowMs: Date.now() }), [
    join(folder, 'qs-20261125T031500Z.json'),
  ])
  assert.deepEqual(readdirSync(folder).sort(), ['files', 'mine.json', 'qs-20261126T031500Z.json'])
  assert.equal(files(), before + 1)
  const other = await freshTarget(t, cluster)
  await put(other, second.path)
  assert.equal(await count(await session(t, other)), 99)
})

test('files of a backup in the making are not removed', { skip }, async (t) => {
  const { path, manifest } = await smallBackup(t)
  const folder = join(path, '..')
  const part = manifest.tables[0]?.parts[0]
  assert.ok(part)
  writeFileSync(join(folder, 'qs-20261127T031500Z.json.partial'), `${part.file}\n`)
  rmSync(path)
  removeOldBackups(folder, { keep: 1, made: path, nowMs: Date.now() })
  assert.deepEqual(readdirSync(join(folder, 'files')), [`${part.file}.gz`])
})

test('rows that qs did not create are refused or left out by name, and definitions are named', {
  skip,
}, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(
    `${oddRows(10)}; create view my_view as select 1 as one; create index my_index on events (unit)`,
  )
  const { manifest } = await save(target, freshFolder())
  assert.deepEqual(manifest.leftOut, ['index my_index', 'view my_view'])
  await owner.query(`create table "my rooms" (id int); alter table events add column room text default 'x'`)
  const folder = freshFolder()
  await assert.rejects(
    save(target, folder),
    /rows that qs did not create: column events.room, table my rooms\..*--pg-dump/,
  )
  assert.deepEqual(readdirSync(folder), [])
  const left = await save(target, folder, { leaveOutOthers: true })
  assert.deepEqual(left.manifest.leftOut, [
    'column events.room',
    'index my_index',
    'table my rooms',
    'view my_view',
  ])
  const other = await freshTarget(t, cluster)
  await put(other, left.path)
  assert.equal(await count(await session(t, other)), 10)
})

test('the rows of all partitions are saved, and restored into a plain table', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`${oddRows(100)}; alter table events rename to events_0;
    create table events (like events_0 including defaults) partition by hash (event_id);
    create table events_1 partition of events for values with (modulus 2, remainder 1);
    with moved as (delete from events_0 where not satisfies_hash_partition('events'::regclass, 2, 0, event_id) returning *)
    insert into events_1 select * from moved;
    alter table events attach partition events_0 for values with (modulus 2, remainder 0)`)
  assert.ok((await count(owner, 'events_1')) > 10)
  const { path, manifest } = await save(target, freshFolder())
  assert.equal(rowsOf(manifest, 'events'), 100)
  assert.deepEqual(manifest.leftOut, [])
  const other = await freshTarget(t, cluster)
  const restored = await session(t, other)
  // As on Citus, where the table is to be distributed again.
  await restored.query('create table pg_dist_partition ()')
  assert.equal((await put(other, path)).isCitus, true)
  assert.equal(await count(restored), 100)
})

test('a database with events is left alone without --replace; with it, what qs did not create stays', {
  skip,
}, async (t) => {
  const { path } = await smallBackup(t)
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into events (event_id, device_id, event_type, ts, ts_server, schema)
    values ('mine', 'd', 't', now(), now(), 1); create table mine as select 7 as seven`)
  await assert.rejects(put(target, path), /contains events.*--replace/)
  assert.equal(await count(owner), 1)
  await put(target, path, true)
  assert.deepEqual([await count(owner), await count(owner, 'mine')], [100, 1])
  await owner.query('create view reports as select * from events')
  await assert.rejects(
    put(target, path, true),
    /view reports depends on table events.*database is unchanged/s,
  )
  assert.equal(await count(owner), 100)
})

test('nothing is restored while an ingester writes, and the error names it', { skip }, async (t) => {
  const { path } = await smallBackup(t)
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
  await assert.rejects(put(target, path), /kitchen-ingester.*Stop it first/)
  lock.release()
})

test('a damaged or missing file, a foreign manifest and a newer version are refused before anything changes', {
  skip,
}, async (t) => {
  const target = await freshTarget(t, cluster)
  const { path, manifest } = await smallBackup(t)
  const events = manifest.tables.find(({ table }) => table === 'events')
  const file = pathOf(join(path, '..'), String(events?.parts[0]?.file))
  const bytes = readFileSync(file)
  const damaged = Buffer.from(bytes)
  damaged[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
  for (const content of [damaged, bytes.subarray(0, -1)]) {
    writeFileSync(file, content)
    await assert.rejects(put(target, path), /\.gz \(events, 100 rows\) is damaged\. Nothing was changed/)
  }
  rmSync(file)
  await assert.rejects(put(target, path), /\.gz \(events, 100 rows\) is missing\. Nothing was changed/)
  writeFileSync(file, bytes)
  await assert.rejects(put(target, `${path}.partial`), /There is no file/)
  const hostile = (part: object) => ({
    ...manifest,
    tables: [{ ...events, parts: [{ ...events?.parts[0], ...part }] }],
  })
  const cases: readonly [object | string, RegExp][] = [
    ['{', /cannot be read/],
    [{}, /is not the manifest/],
    [{ ...manifest, format: 3 }, /is not the manifest/],
    [hostile({ checksum: `'; drop` }), /is not the manifest/],
    [hostile({ file: '../../etc/passwd' }), /is not the manifest/],
    [{ ...manifest, schemaVersion: 9999 }, /schema version 9999.*newer version of qs/],
  ]
  for (const [content, message] of cases) {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    await assert.rejects(put(target, path), message)
  }
  const owner = await session(t, target)
  assert.deepEqual((await owner.query(`select to_regclass('events') as events`)).rows, [{ events: null }])
})

test('rows that differ from the manifest are not committed, and the old rows stay', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into devices values ('old', now(), now())`)
  const { path, manifest } = await smallBackup(t)
  for (const change of [{ checksum: '1' }, { rows: 96 }]) {
    const tables = manifest.tables.map((each) =>
      each.table === 'devices'
        ? { ...each, parts: each.parts.map((part) => ({ ...part, ...change })) }
        : each,
    )
    writeFileSync(path, JSON.stringify({ ...manifest, tables }))
    await assert.rejects(
      put(target, path),
      /table devices differs from the backup: 97 rows.*database is unchanged/s,
    )
  }
  assert.deepEqual((await owner.query('select device_id from devices')).rows, [{ device_id: 'old' }])
})

test('a backup of any older version is migrated forward', { skip }, async (t) => {
  const shipped = await readMigrations()
  for (const version of [1, 6, shipped.length - 1]) {
    const [source, target] = [await freshTarget(t, cluster), await freshTarget(t, cluster)]
    await migrate(source, shipped.slice(0, version))
    await (await session(t, source)).query(
      `insert into events (event_id, device_id, event_type, ts, ts_server, schema) values ('old', 'd', 't', now(), now(), 1)`,
    )
    const { path } = await save(source, freshFolder())
    const { migrated } = await put(target, path)
    assert.deepEqual(
      migrated,
      shipped.slice(version).map(({ name }) => name),
    )
    const restored = await session(t, target)
    assert.deepEqual([await count(restored), await count(restored, 'series')], [1, version < 7 ? 1 : 0])
  }
})

test('an interrupted restore leaves the old rows', { skip }, async (t) => {
  const target = await migratedTarget(t, cluster)
  const owner = await session(t, target)
  await owner.query(`insert into devices values ('old', now(), now())`)
  const watcher = await session(t, cluster.url)
  const copying = async () => {
    const { rows } = await watcher.query<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'qs-restore' and query ~* '^copy .*events'`,
    )
    return rows[0]?.pid
  }
  const stop = new AbortController()
  const stopped = assert.rejects(put(target, saved.path, false, stop.signal), /enough/)
  await until(copying, 'rows are copied')
  stop.abort(new Error('enough'))
  await stopped
  await until(async () => (await copying()) === undefined, 'the session ended')

  const cut = assert.rejects(put(target, saved.path), /database is unchanged/)
  await watcher.query('select pg_terminate_backend($1)', [await until(copying, 'rows are copied again')])
  await cut
  assert.deepEqual((await owner.query('select device_id from devices')).rows, [{ device_id: 'old' }])
})

test('a failed or stopped backup leaves no file', { skip }, async (t) => {
  const folder = join(directory, 'failed')
  await assert.rejects(save(urlOf(cluster, 'grafana'), folder), /permission denied.*owner of the tables/)
  await assert.rejects(save(await freshTarget(t, cluster), folder), /no tables of qs/)
  const enough = () => AbortSignal.abort(new Error('enough'))
  await assert.rejects(save(urlOf(cluster, 'qs'), folder, { signal: enough() }), /enough/)
  assert.equal(existsSync(folder), false)
  const blocked = freshFolder()
  writeFileSync(join(blocked, 'files'), '')
  await assert.rejects(save(urlOf(cluster, 'qs'), blocked), /discarded: EEXIST.*start it again/)

  const stop = new AbortController()
  const onRows = (rows: number) => rows > ROWS / 2 && stop.abort(new Error('enough'))
  await assert.rejects(save(urlOf(cluster, 'qs'), folder, { signal: stop.signal, onRows }), /enough/)
  assert.deepEqual(readdirSync(folder, { recursive: true }), ['files'])

  const watcher = await session(t, cluster.url)
  const end = async () => {
    await watcher.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^qs-backup'`,
    )
  }
  let isEnded = false
  const cut = (rows: number) => {
    if (rows > ROWS / 2 && !isEnded) void end()
    isEnded ||= rows > ROWS / 2
  }
  await assert.rejects(save(urlOf(cluster, 'qs'), folder, { onRows: cut }), /terminat/)
  assert.deepEqual(readdirSync(folder, { recursive: true }), ['files'])
})
