import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type pg from 'pg'
import { streamOf } from '../database/connect.ts'
import {
  createHistory,
  MIGRATION_LOCK,
  type Migration,
  migrate,
  readMigrations,
  runMigration,
} from '../database/migrate.ts'
import { openClient } from '../database/open-client.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { analyzeTables } from './analyze-tables.ts'
import { isIntact } from './backup-folder.ts'
import { checkTarget } from './check-target.ts'
import { dropObjects } from './drop-objects.ts'
import { loadTables } from './load-tables.ts'
import { type Manifest, readManifest, totalRows } from './manifest.ts'
import { describeServer, readSchemaVersion } from './read-server.ts'
import { pathOf } from './saved-file.ts'
import { shippedObjects } from './schema-objects.ts'

export interface RestoreOptions {
  /** URL with the owner role. */
  readonly databaseUrl: string
  /** The manifest, next to the folder with the files. */
  readonly file: string
  /** Whether existing rows may be discarded. */
  readonly replace: boolean
  readonly signal: AbortSignal
  readonly onRows: (done: number, total: number) => void
}

export interface Restored {
  /** The manifest that every table was compared with before the commit. */
  readonly manifest: Manifest
  /** Migrations newer than the backup. */
  readonly migrated: readonly string[]
  /** `events` is not distributed yet. */
  readonly isCitus: boolean
}

const NAME = 'qs-restore'
/** Files in an error. */
const NAMED = 3

/**
 * Puts a backup into a database in one transaction: the tables as the migrations of its version create them, the rows, the
 * comparison with the manifest, or nothing. Then migrates it forward, and grants the roles their rights. What qs did not
 * create stays.
 *
 * @throws Error with the reason; the database is then unchanged
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { databaseUrl, file, replace, signal } = options
  const manifest = readManifest(file)
  const migrations = await migrationsOf(manifest, file)
  await checkFiles(manifest, options)

  const client = await openClient(databaseUrl, { name: NAME, connectTimeoutMs: 10_000 })
  const cut = () => streamOf(client).destroy()
  signal.addEventListener('abort', cut)
  try {
    await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0')
    // An ingester that starts now waits for this lock until the restore is finished.
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await checkTarget(client, replace)
    await replaceTables(client, { ...options, manifest, migrations })
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', cut)
    await client.end()
  }

  const migrated = await migrate(databaseUrl)
  const isCitus = await analyzeTables(databaseUrl, manifest.tables)
  return { manifest, migrated, isCitus }
}

/** @throws QsError if this qs is too old for the backup */
async function migrationsOf({ schemaVersion }: Manifest, file: string): Promise<readonly Migration[]> {
  const migrations = await readMigrations()
  const newest = migrations.at(-1)?.version ?? 0
  if (schemaVersion > newest)
    throw new QsError(
      'SCHEMA_NEWER',
      `${file} has schema version ${schemaVersion}, but this qs supports ${newest}`,
    )
  return migrations.filter(({ version }) => version <= schemaVersion)
}

async function checkFiles(manifest: Manifest, { file, signal }: RestoreOptions): Promise<void> {
  const folder = dirname(file)
  const lost: string[] = []
  for (const { table, parts } of manifest.tables)
    for (const part of parts) {
      signal.throwIfAborted()
      if (await isIntact(folder, part)) continue
      const path = pathOf(folder, part.file)
      lost.push(`${path} (${table}, ${part.rows} rows) is ${existsSync(path) ? 'damaged' : 'missing'}`)
    }
  if (lost.length === 0) return
  const more = lost.length > NAMED ? `; so are ${lost.length - NAMED} more` : ''
  throw new QsError('BACKUP_UNUSABLE', `${lost.slice(0, NAMED).join('; ')}${more}`)
}

interface Replacement extends RestoreOptions {
  readonly manifest: Manifest
  readonly migrations: readonly Migration[]
}

async function replaceTables(client: pg.Client, options: Replacement): Promise<void> {
  const { file, manifest, migrations, signal } = options
  try {
    const { schema } = await describeServer(client)
    const old = await existingObjects(client, options)
    await client.query(`begin; set local lock_timeout = '10s'; set local client_min_messages = warning`)
    await client.query(dropObjects(schema, old))
    await createHistory(client)
    for (const migration of migrations) await runMigration(client, migration)
    let done = 0
    const total = totalRows(manifest)
    const onRows = (rows: number) => {
      done += rows
      options.onRows(done, total)
    }
    await loadTables(client, { ...{ folder: dirname(file), manifest, schema, signal }, onRows })
    signal.throwIfAborted()
    await client.query('commit')
  } catch (error) {
    signal.throwIfAborted()
    throw new QsError('RESTORE_FAILED', withDetail(error), { cause: error })
  }
}

/** PostgreSQL names the view that is in the way in the detail of its error. */
function withDetail(error: unknown): string {
  const { detail } = error as { readonly detail?: string }
  return detail === undefined ? reasonOf(error) : `${reasonOf(error)}: ${detail}`
}

/** What qs has created in the database so far. */
async function existingObjects(
  client: pg.Client,
  { databaseUrl }: RestoreOptions,
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!rows[0]?.exists) return new Set()
  const version = await readSchemaVersion(client)
  return shippedObjects(
    databaseUrl,
    (await readMigrations()).filter((each) => each.version <= version),
  )
}
