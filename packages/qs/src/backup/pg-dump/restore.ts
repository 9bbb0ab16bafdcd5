import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { libpqEnvironment } from '../../database/libpq-environment.ts'
import { MIGRATION_LOCK, migrate, readMigrations } from '../../database/migrate.ts'
import { openClient } from '../../database/open-client.ts'
import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import { analyzeTables } from '../analyze-tables.ts'
import { checkTarget } from '../check-target.ts'
import { type BackupManifest, readManifest, sha256Of } from './backup-manifest.ts'
import { watchCopy } from './copy-progress.ts'
import { findTool, type Tool } from './postgres-tools.ts'
import { afterRestore, beforeRestore, withoutNewerSettings } from './restore-script.ts'
import { runTool, startTool } from './run-tool.ts'

export interface RestoreOptions {
  /** URL with the owner role. */
  readonly databaseUrl: string
  readonly file: string
  /** Whether existing rows may be discarded. */
  readonly replace: boolean
  readonly signal: AbortSignal
  readonly onRows: (done: number, total: number) => void
}

export interface Restored {
  /** The manifest that every table was compared with before the commit. */
  readonly manifest: BackupManifest
  /** Migrations newer than the backup. */
  readonly migrated: readonly string[]
  /** `events` is not distributed yet. */
  readonly isCitus: boolean
}

const NAME = 'qs-restore'

/**
 * Replaces the content of the database with a backup in one transaction: all of it, compared with the manifest, or
 * nothing. Then migrates it forward, and grants the roles their rights.
 *
 * @throws Error with the reason; the database is then unchanged
 */
export async function restoreDump(options: RestoreOptions): Promise<Restored> {
  const { databaseUrl, file, signal } = options
  const manifest = readManifest(file)
  await checkFile(file, manifest)
  const tool = findTool('pg_restore', manifest.pgDumpMajor)
  await runTool(tool.path, ['--list', file], { signal })

  const client = await openClient(databaseUrl, { name: NAME, connectTimeoutMs: 10_000 })
  try {
    await client.query('set statement_timeout = 0')
    // An ingester that starts now waits for this lock until the restore is finished.
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await checkDatabase(client, manifest, options.replace)
    await load(client, tool, manifest, options)
  } finally {
    await client.end()
  }

  const migrated = await migrate(databaseUrl)
  const isCitus = await analyzeTables(databaseUrl, manifest.tables)
  return { manifest, migrated, isCitus }
}

async function checkFile(file: string, { bytes, sha256, schemaVersion }: BackupManifest): Promise<void> {
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) throw new QsError('BACKUP_UNUSABLE', `There is no file ${file}`)
  if (size !== bytes || (await sha256Of(file)) !== sha256)
    throw new QsError('BACKUP_UNUSABLE', `${file} is damaged: its size or checksum is wrong`)
  const newest = (await readMigrations()).at(-1)?.version ?? 0
  if (schemaVersion > newest) {
    throw new QsError(
      'SCHEMA_NEWER',
      `${file} has schema version ${schemaVersion}, but this qs supports ${newest}`,
    )
  }
}

async function checkDatabase(client: pg.Client, { schema }: BackupManifest, replace: boolean): Promise<void> {
  const { rows } = await client.query<{ schema: string | null; role: string }>(
    `select current_schema() as schema, current_user as role`,
  )
  const [found] = rows
  if (found?.schema !== schema) {
    throw new QsError(
      'SEARCH_PATH_WRONG',
      `The backup is of the schema ${schema}, but DATABASE_URL leads the role ${found?.role} to ${found?.schema ?? 'none'}`,
    )
  }
  await checkTarget(client, replace)
}

async function load(
  client: pg.Client,
  tool: Tool,
  manifest: BackupManifest,
  { databaseUrl, file, signal, onRows }: RestoreOptions,
): Promise<void> {
  const { schema, tables } = manifest
  const total = tables.reduce((sum, { rows }) => sum + rows, 0)
  const copy = `${NAME} (copy)`
  const stopWatching = watchCopy(client, { name: copy, total, onRows })
  const stopped = new AbortController()
  const both = AbortSignal.any([signal, stopped.signal])
  try {
    // From the same folder, so that both have the same version.
    const psql = startTool(
      join(dirname(tool.path), 'psql'),
      ['--no-psqlrc', '--quiet', '--no-password', '--output=/dev/null', '--set=ON_ERROR_STOP=1'],
      { environment: { ...libpqEnvironment(databaseUrl), PGAPPNAME: copy }, signal: both },
    )
    psql.stdout.resume()
    const pgRestore = startTool(
      tool.path,
      ['--no-owner', '--no-privileges', `--schema=${schema}`, '--file=-', file],
      { signal: both },
    )
    psql.stdin.write(beforeRestore(schema))
    const feed = async () => {
      await pipeline(pgRestore.stdout, withoutNewerSettings(), psql.stdin, { end: false })
      await pgRestore.ended()
      // Sent last: without the commit, the script changes nothing.
      psql.stdin.end(afterRestore(manifest))
    }
    const [loaded, fed] = await Promise.allSettled([
      psql.ended().finally(() => pgRestore.stdout.destroy()),
      feed().catch((error: unknown) => {
        psql.stdin.end()
        throw error
      }),
    ])
    if (loaded.status === 'rejected') throw loaded.reason
    if (fed.status === 'rejected') throw fed.reason
    onRows(total, total)
  } catch (error) {
    signal.throwIfAborted()
    throw new QsError('RESTORE_FAILED', reasonOf(error), { cause: error })
  } finally {
    stopped.abort()
    stopWatching()
  }
}
