import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TestCluster } from '@qs-telemetry/testing/postgres-cluster.ts'
import {
  lockedCluster,
  psqlMissing,
  type Role,
  runRoles,
  session,
  startLockedCluster,
  urlOf,
} from '@qs-telemetry/testing/roles.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import type pg from 'pg'
import { migrate, readMigrations } from '../../src/database/migrate.ts'

let cluster: TestCluster

before(async () => {
  if (psqlMissing) return
  cluster = await lockedCluster()
  await runRoles(cluster)
  await migrate(urlOf(cluster, 'qs'))
})
after(() => cluster?.stop())

const READ = { grafana: ['SELECT'] }
const CREATE_ONLY = ['INSERT', 'SELECT']

/** Every table and view, with every right on it. A role has no right that is not listed. */
const RIGHTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  alert_channels: {
    qs_ingester: [
      'SELECT',
      ...['attempts', 'error', 'failing_since', 'next_at', 'sent_at', 'tried_at'].map(
        (column) => `UPDATE(${column})`,
      ),
    ],
    qs_console: [
      ...['DELETE', 'INSERT'],
      ...['attempts', 'created_at', 'error', 'failing_since', 'kind', 'name', 'next_at'],
      ...['quiet_from', 'quiet_to', 'quiet_zone', 'sent_at', 'shown'],
    ].map((right) => (right === right.toUpperCase() ? right : `SELECT(${right})`)),
  },
  alert_history: {
    ...READ,
    qs_ingester: ['DELETE', ...CREATE_ONLY],
    qs_console: ['DELETE', ...CREATE_ONLY],
  },
  alert_outbox: { qs_ingester: [...CREATE_ONLY, 'UPDATE(sent_at)'], qs_console: CREATE_ONLY },
  alert_rules: { ...READ, qs_ingester: ['SELECT'], qs_console: ['DELETE', ...CREATE_ONLY, 'UPDATE'] },
  alert_states: {
    ...READ,
    qs_ingester: ['DELETE', ...CREATE_ONLY, 'UPDATE'],
    qs_console: ['DELETE', 'SELECT'],
  },
  audit_log: { qs_console: CREATE_ONLY },
  bounded_events: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  bounded_numbers: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  chosen_settings: { qs_ingester: ['SELECT'], qs_console: ['DELETE', ...CREATE_ONLY, 'UPDATE'] },
  clock_drift: READ,
  dead_letters: { ...READ, qs_ingester: CREATE_ONLY, qs_console: ['DELETE', 'SELECT'] },
  dead_letter_history: { ...READ, qs_console: CREATE_ONLY },
  dead_letters_counted: {
    ...READ,
    qs_ingester: [...CREATE_ONLY, 'UPDATE(bytes)', 'UPDATE(letters)'],
    qs_console: ['DELETE', 'SELECT'],
  },
  device_gaps: { ...READ, qs_ingester: [...CREATE_ONLY, 'UPDATE'], qs_console: ['SELECT'] },
  devices: {
    ...READ,
    qs_ingester: [
      ...CREATE_ONLY,
      'UPDATE(clock)',
      'UPDATE(clock_offset)',
      'UPDATE(first_seen)',
      'UPDATE(last_seen)',
      'UPDATE(silent_after)',
      'UPDATE(silent_series)',
      'UPDATE(types)',
    ],
    qs_console: [
      ...['DELETE', ...CREATE_ONLY],
      'UPDATE(archived_at)',
      'UPDATE(label)',
      'UPDATE(notes)',
      'UPDATE(room)',
      'UPDATE(silent_after_set)',
      'UPDATE(time_zone)',
    ],
  },
  event_hours: {
    ...READ,
    qs_ingester: ['DELETE', ...CREATE_ONLY, 'UPDATE'],
    qs_console: ['DELETE', 'SELECT'],
  },
  event_hours_backlog: { qs_ingester: ['DELETE', ...CREATE_ONLY] },
  event_hours_state: {
    ...READ,
    qs_ingester: [
      'SELECT',
      ...['checked_device', 'checked_type', 'covered_to', 'recounted_at'].map(
        (column) => `UPDATE(${column})`,
      ),
    ],
    qs_console: ['SELECT'],
  },
  event_history: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  event_segments: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  dropped_series: { ...READ, qs_ingester: ['SELECT'], qs_console: ['DELETE', 'SELECT'] },
  events: { ...READ, qs_ingester: CREATE_ONLY, qs_console: ['SELECT'] },
  ingest_stats: {
    ...READ,
    qs_ingester: [
      ...CREATE_ONLY,
      ...['duplicate', 'messages', 'received', 'rejected', 'stored'].map((column) => `UPDATE(${column})`),
    ],
    qs_console: ['SELECT'],
  },
  ingest_stops: { ...READ, qs_ingester: [...CREATE_ONLY, 'UPDATE(ended)'], qs_console: ['SELECT'] },
  pinned: { ...READ, qs_console: ['DELETE', ...CREATE_ONLY] },
  received_numbers: { ...READ, qs_ingester: ['DELETE', ...CREATE_ONLY, 'UPDATE'], qs_console: ['SELECT'] },
  received_pending: { qs_ingester: ['DELETE', ...CREATE_ONLY] },
  retention: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  retention_exceptions: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  schema_migrations: { qs_ingester: ['SELECT'] },
  sealed_events: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  sealed_numbers: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  sealing: { ...READ, qs_ingester: ['SELECT'], qs_console: ['SELECT'] },
  silence: READ,
  series: {
    ...READ,
    qs_ingester: [
      ...CREATE_ONLY,
      ...[
        'arrived_at',
        'event_id',
        'events',
        'every_seconds',
        'first_seen',
        'first_ts',
        'gaps',
        'last_seen',
        'pauses',
      ],
      ...[
        'silent_after',
        'ts',
        'ts_device',
        'ts_device_readable',
        'ts_server',
        'unit',
        'value_num',
        'value_text',
      ],
    ].map((right) => (CREATE_ONLY.includes(right) ? right : `UPDATE(${right})`)),
    qs_console: ['DELETE', 'SELECT'],
  },
  series_pending: { qs_ingester: ['DELETE', ...CREATE_ONLY] },
}

const ALL_RIGHTS = `
  select relation, grantee, array_agg(privilege order by privilege) as rights from (
    select c.relname as relation, a.grantee, a.privilege_type as privilege
    from pg_class c cross join aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.grantee <> c.relowner
    union all
    select c.relname, a.grantee, format('%s(%s)', a.privilege_type, t.attname)
    from pg_class c join pg_attribute t on t.attrelid = c.oid cross join aclexplode(t.attacl) a
    where c.relnamespace = 'public'::regnamespace and a.grantee <> c.relowner
  ) rights group by relation, grantee`

async function rightsOf(owner: pg.Client) {
  const { rows: relations } = await owner.query<{ relname: string }>(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')`,
  )
  const rights: Record<string, Record<string, readonly string[]>> = Object.fromEntries(
    relations.map(({ relname }) => [relname, {}]),
  )
  const { rows } = await owner.query<{ relation: string; grantee: string; rights: string[] }>(
    `select relation, case grantee when 0 then 'public' else grantee::regrole::text end as grantee, rights
     from (${ALL_RIGHTS}) each`,
  )
  for (const { relation, grantee, rights: held } of rows)
    rights[relation] = { ...rights[relation], [grantee]: held }
  return rights
}

test('every table and view is granted as listed here, and nothing else', {
  skip: psqlMissing,
}, async (t) => {
  assert.deepEqual(await rightsOf(await session(t, urlOf(cluster, 'qs'))), RIGHTS)
})

test('manual grants are revoked; a new view is granted to grafana, a new table to no role', {
  skip: psqlMissing,
}, async (t) => {
  const owner = await session(t, urlOf(cluster, 'qs'))
  await owner.query(`
    grant all on events, schema_migrations to qs_ingester, grafana; grant update (ts) on events to qs_ingester;
    create view added_view as select 1 as one; create table added_table ()`)
  await migrate(urlOf(cluster, 'qs'))
  const rights = await rightsOf(owner)
  await owner.query('drop view added_view; drop table added_table')
  assert.deepEqual(rights, { ...RIGHTS, added_view: READ, added_table: {} })
})

const EVENT = `insert into events (event_id, device_id, event_type, ts, ts_server, schema)
  values ('x', 'd', 't', now(), now(), 1)`

const FORBIDDEN_TO_ALL = [
  `update events set value_num = 1`,
  `update dead_letters set code = 'x'`,
  `update devices set label = 'x'`,
  `update devices set time_zone = 'UTC'`,
  `update devices set device_id = 'x'`,
  `update dead_letters_counted set code = 'x'`,
  `update ingest_stats set writer = 'x'`,
  `update series set device_id = 'x'`,
  `update series set event_type = 'x'`,
  `update schema_migrations set checksum = 'x'`,
  `insert into schema_migrations (version, name, checksum) values (9999, 'x', 'x')`,
  ...[
    ...['events', 'devices', 'dead_letters', 'dead_letters_counted', 'dead_letter_history'],
    ...['ingest_stats', 'schema_migrations', 'series', 'event_segments', 'sealing'],
    ...['retention', 'retention_exceptions'],
  ].flatMap((table) => [
    `delete from ${table}`,
    `truncate ${table}`,
    `drop table ${table}`,
    `alter table ${table} add column x text`,
    `create trigger x before insert on ${table} execute function suppress_redundant_updates_trigger()`,
    `create rule x as on insert to ${table} do instead nothing`,
  ]),
  `select take_events('d', 't', '-infinity', now(), '', now())`,
  `select remove_device_events('d', 1)`,
  `update retention set keep_events = '1 day'`,
  `insert into retention_exceptions values ('*', '*', '1 day')`,
  `select seal_series('d', 't', now(), now(), 1000)`,
  'drop view clock_drift',
  'drop index events_ts_server',
  'create table x ()',
  'create temporary table x ()',
  'create view x as select 1',
  'create function x() returns int language sql return 1',
  'create schema x',
  'create role x',
  'create extension pgcrypto',
  'alter role qs superuser',
  `alter role qs password 'x'`,
  'alter database qs owner to current_user',
  'alter schema public owner to current_user',
  'set role qs',
  'set session authorization qs',
  `copy events to program 'cat'`,
  `copy events to '/dev/null'`,
  `select pg_read_file('PG_VERSION')`,
  `select passwd from pg_shadow`,
  `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qs'`,
  `set temp_file_limit = -1`,
  'select lo_creat(-1)',
  'select lo_create(0)',
  `select lo_from_bytea(0, 'x')`,
]

/** An ingester holds such a lock for its name (instance-lock.ts), and so does a migration. */
const ADVISORY_LOCKS = ['', '_xact'].flatMap((xact) =>
  ['', '_shared'].flatMap((shared) =>
    ['', 'try_'].flatMap((attempt) =>
      ['1', '1, 2'].map((key) => `pg_${attempt}advisory${xact}_lock${shared}(${key})`),
    ),
  ),
)

const FORBIDDEN: readonly (readonly [Role, string])[] = [
  ...FORBIDDEN_TO_ALL.flatMap((sql) => [['qs_ingester', sql] as const, ['grafana', sql] as const]),
  ['grafana', EVENT],
  ...ADVISORY_LOCKS.map((call) => ['grafana', `select ${call}`] as const),
  ['grafana', `insert into devices (device_id, first_seen, last_seen) values ('d', now(), now())`],
  ['grafana', 'update devices set last_seen = now()'],
  ['grafana', `select seal_next('30 days', 1000)`],
  ['grafana', 'select * from schema_migrations'],
  ['grafana', 'select * from pg_ls_waldir()'],
  ['grafana', 'update series set events = 0'],
  ['grafana', 'select * from events for update'],
  ['grafana', 'lock table events in row exclusive mode'],
  ['qs_ingester', 'lock table events in access exclusive mode'],
  ['qs_ingester', 'select * from events for update'],
]

/** Insufficient privilege. */
const REFUSED = { code: '42501' }

test('forbidden statements are refused, even if the session turns read-only off', {
  skip: psqlMissing,
}, async (t) => {
  const bystander = await session(t, urlOf(cluster, 'qs'))
  await bystander.query(EVENT)
  for (const role of ['qs_ingester', 'grafana'] as const) {
    const client = await session(t, urlOf(cluster, role))
    await client.query('set default_transaction_read_only = off')
    for (const [, sql] of FORBIDDEN.filter(([who]) => who === role)) {
      // Rolled back, so that a statement that passes does not affect those after it.
      await client.query('begin')
      await assert.rejects(client.query(sql), REFUSED, `${role}: ${sql}`)
      await client.query('rollback')
    }
    // Not possible within a transaction.
    await assert.rejects(client.query('create database x'), REFUSED, role)
  }
  await bystander.query('delete from events')
})

test('grafana may read, and its limits are in force', { skip: psqlMissing }, async (t) => {
  const grafana = await session(t, urlOf(cluster, 'grafana'))
  for (const relation of ['events', 'series', 'devices', 'dead_letters', 'ingest_stats', 'clock_drift'])
    await grafana.query(`select * from ${relation}`)
  await assert.rejects(grafana.query('create temporary table x ()'), { code: '25006' })
  const { rows } = await grafana.query(
    `select name, setting || coalesce(unit, '') as value from pg_settings where name in
     ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'temp_file_limit', 'work_mem')
     order by name`,
  )
  assert.deepEqual(rows, [
    { name: 'idle_in_transaction_session_timeout', value: '30000ms' },
    { name: 'lock_timeout', value: '5000ms' },
    { name: 'statement_timeout', value: '30000ms' },
    { name: 'temp_file_limit', value: '2097152kB' },
    { name: 'work_mem', value: '16384kB' },
  ])
  // The same setting, shortened from thirty seconds.
  const superuser = await session(t, cluster.url)
  await superuser.query(`alter role grafana set statement_timeout = '50ms'`)
  const hurried = await session(t, urlOf(cluster, 'grafana'))
  await assert.rejects(hurried.query('select pg_sleep(20)'), { code: '57014' })
  await runRoles(cluster)
  const calm = await session(t, urlOf(cluster, 'grafana'))
  assert.deepEqual((await calm.query('show statement_timeout')).rows, [{ statement_timeout: '30s' }])
})

test('the ingester accepts an up-to-date schema, and says who must update an older one', {
  skip: psqlMissing,
}, async () => {
  assert.deepEqual(await migrate(urlOf(cluster, 'qs_ingester')), [])
  const next = { version: 9999, name: '9999_next.sql', sql: 'create table next ()', checksum: 'a' }
  await assert.rejects(migrate(urlOf(cluster, 'qs_ingester'), [...(await readMigrations()), next]), {
    code: 'NOT_THE_OWNER',
    message:
      /qs lacks 9999_next.sql, and the role qs_ingester may not.*Use the DATABASE_URL of the owner.*qs migrate/,
  })
})

test('before the owner has migrated, the ingester reports it', { skip: psqlMissing }, async (t) => {
  const empty = await startLockedCluster(t)
  await runRoles(empty)
  await assert.rejects(migrate(urlOf(empty, 'qs_ingester')), /has no tables yet.*qs migrate/)
  // As if created before the roles.
  await migrate(urlOf(empty, 'qs'))
  const owner = await session(t, urlOf(empty, 'qs'))
  await owner.query('revoke all on schema_migrations from qs_ingester')
  await assert.rejects(migrate(urlOf(empty, 'qs_ingester')), /denies access to schema_migrations.*qs migrate/)
})

test('a migration gives way to a session that changes the same rights, and tries again', {
  skip: psqlMissing,
}, async (t) => {
  const mine = await session(t, urlOf(cluster, 'qs'))
  await mine.query('begin; grant select on ingest_stats to qs_ingester')
  const busy: string[] = []
  const migrated = migrate(urlOf(cluster, 'qs'), undefined, { onBusy: (name) => busy.push(name) })
  await until(() => busy.length > 0, 'the grants gave way')
  await mine.query('commit')
  assert.deepEqual(await migrated, [])
  assert.equal(busy[0], 'grants.sql')
})
