import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { debianBin, debianPostgresMissing } from '@qs-telemetry/testing/debian-postgres.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { runRoles, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import { migrate } from '../../src/database/migrate.ts'

test('qs backup names the file after the time and keeps the newest; qs restore prints what it compared', {
  skip: debianPostgresMissing,
}, async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'qs-backups-'))
  t.after(() => rmSync(cwd, { recursive: true }))
  const cluster = await startLockedCluster(t, { bin: debianBin() })
  await runRoles(cluster)
  const env = { DATABASE_URL: urlOf(cluster, 'qs') }
  await migrate(env.DATABASE_URL)

  assert.equal((await runQs(t, ['backup'], { env, cwd })).code, 0)
  const folder = join(cwd, 'backups')
  const [first] = readdirSync(folder)
  assert.match(String(first), /^qs-\d{8}T\d{6}Z\.dump$/)
  for (const other of ['qs-20200101T000000Z.dump', 'qs-20200101T000000Z.dump.json', 'mine.dump'])
    writeFileSync(join(folder, other), '')
  const kept = await runQs(t, ['backup', '--keep', '1', '--json'], { env, cwd })
  assert.equal(kept.code, 0, kept.stderr)
  const { file, removed, tables } = JSON.parse(kept.stdout) as {
    file: string
    removed: string[]
    tables: { table: string }[]
  }
  assert.ok(removed.includes('backups/qs-20200101T000000Z.dump'))
  assert.deepEqual(
    readdirSync(folder).map((name) => join('backups', name)),
    ['backups/mine.dump', file, `${file}.json`],
  )
  assert.deepEqual(
    tables.map(({ table }) => table),
    [
      ...['audit_log', 'dead_letter_history', 'dead_letters', 'dead_letters_counted', 'devices'],
      ...['event_hours', 'event_hours_backlog', 'event_hours_state', 'events'],
      ...['ingest_stats', 'ingest_stops', 'pinned', 'schema_migrations', 'series', 'series_pending'],
    ],
  )

  const restored = await runQs(t, ['restore', file], { env, cwd })
  assert.equal(restored.code, 0, restored.stderr)
  assert.match(restored.stdout, /0 rows {2}events {2}row count and checksum match/)
  assert.equal((await runQs(t, ['backup', '--out', 'x.dump', '--keep', '1'], { env, cwd })).code, 2)
})
