import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { debianBin, debianPostgresMissing } from '@qs-telemetry/testing/debian-postgres.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { runRoles, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import pg from 'pg'
import { migrate } from '../../src/database/migrate.ts'
import { oddRows } from '../backup/odd-rows.ts'

interface Printed {
  readonly file: string
  readonly removed: readonly string[]
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly checksum: string }[]
}

const TABLES = [
  ...['alert_channels', 'alert_history', 'alert_outbox', 'alert_rules', 'alert_states'],
  ...[
    'audit_log',
    'chosen_settings',
    'dead_letter_history',
    'dead_letters',
    'dead_letters_counted',
    'device_gaps',
    'devices',
    'dropped_series',
  ],
  ...['event_hours', 'event_hours_backlog', 'event_hours_state', 'event_segments', 'events'],
  ...['ingest_stats', 'ingest_stops', 'pinned', 'received_numbers', 'received_pending'],
  ...['retention', 'retention_exceptions', 'schema_migrations'],
  ...['sealing', 'series', 'series_pending'],
]

/** A folder with access to a migrated PostgreSQL 15. */
async function open(t: TestContext) {
  const cwd = mkdtempSync(join(tmpdir(), 'qs-backups-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  const cluster = await startLockedCluster(t, { bin: debianBin() })
  await runRoles(cluster)
  const env = { DATABASE_URL: urlOf(cluster, 'qs') }
  await migrate(env.DATABASE_URL)
  const run = async (args: readonly string[], others: Readonly<Record<string, string>> = env) => {
    const result = await runQs(t, args, { env: others, cwd })
    assert.equal(result.code, 0, result.stderr)
    return result.stdout
  }
  return { cwd, env, run }
}

test('qs backup needs no other program, and moves PostgreSQL 15 into an embedded database on another port', {
  skip: debianPostgresMissing,
}, async (t) => {
  const { env, run, cwd } = await open(t)
  const owner = new pg.Client({ connectionString: env.DATABASE_URL })
  await owner.connect()
  await owner.query(oddRows(1_000))
  await owner.query(`insert into retention_exceptions values ('d1*', '*', '30 days');
    update event_hours_state set covered_to = now()`)
  const seal = async () =>
    (await owner.query<{ is_end: boolean }>(`select * from seal_next('30 days', 5000)`)).rows[0]
  while ((await seal())?.is_end === false);
  await owner.end()
  // Node is all that is in this folder.
  const PATH = join(process.execPath, '..')
  const { file, tables } = JSON.parse(await run(['backup', '--json'], { ...env, PATH })) as Printed
  assert.match(file, /^backups\/qs-\d{8}T\d{6}Z\.json$/)
  assert.deepEqual(
    tables.map(({ table }) => table),
    TABLES,
  )

  const embedded = {
    QS_DATA_DIR: join(cwd, 'data'),
    POSTGRES_PORT: String(await freePort()),
    PATH: process.env.PATH ?? '',
  }
  // Those with infinite times stay rows.
  const printed = await run(['restore', file], embedded)
  assert.match(printed, / 500 rows {2}events {2}row count and checksum match/)
  assert.match(printed, / [1-9]\d* rows {2}event_segments {2}row count and checksum match/)
  assert.match(printed, / 1 rows {2}retention_exceptions {2}row count and checksum match/)
  // The embedded database does not run now.
  const again = JSON.parse(await run(['backup', '--out', 'again', '--json'], embedded)) as Printed
  const content = (all: Printed['tables']) => all.map(({ table, rows, checksum }) => [table, rows, checksum])
  assert.deepEqual(content(again.tables), content(tables))
})

test('qs backup keeps the newest, also of pg_dump, and other files stay', {
  skip: debianPostgresMissing,
}, async (t) => {
  const { cwd, env, run } = await open(t)
  await run(['backup', '--pg-dump'])
  const folder = join(cwd, 'backups')
  const dump = readdirSync(folder).find((name) => /^qs-\d{8}T\d{6}Z\.dump$/.test(name))
  assert.match(
    await run(['restore', join('backups', String(dump))]),
    / 0 rows {2}events {2}row count and checksum match/,
  )
  for (const other of [
    'qs-20200101T000000Z.dump',
    'qs-20200101T000000Z.dump.json',
    'qs-20200102T000000Z.json',
    'mine.dump',
  ])
    writeFileSync(join(folder, other), '')
  const { file, removed } = JSON.parse(await run(['backup', '--keep', '1', '--json'])) as Printed
  assert.ok(
    removed.includes('backups/qs-20200101T000000Z.dump') &&
      removed.includes('backups/qs-20200102T000000Z.json'),
  )
  assert.deepEqual(
    readdirSync(folder).map((name) => join('backups', name)),
    ['backups/files', 'backups/mine.dump', file],
  )
  const { code } = await runQs(t, ['backup', '--out', 'x.dump', '--keep', '1'], { env, cwd })
  assert.equal(code, 2)
})
