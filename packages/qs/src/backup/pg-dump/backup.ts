import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import pg from 'pg'
import { libpqEnvironment } from '../../database/libpq-environment.ts'
import { openClient } from '../../database/open-client.ts'
import { syncDirectory } from '../../embedded/postgres/create-cluster.ts'
import { QsError } from '../../errors/qs-error.ts'
import { checkRoomForDump } from '../check-room.ts'
import { describeServer, readSchemaVersion } from '../read-server.ts'
import { listTables, qualified, summarize, type TableSummary, TEXT_SETTINGS } from '../table-summary.ts'
import { type BackupManifest, manifestPath, sha256Of } from './backup-manifest.ts'
import { watchCopy } from './copy-progress.ts'
import { findTool } from './postgres-tools.ts'
import { runTool } from './run-tool.ts'

export interface BackupOptions {
  readonly databaseUrl: string
  /** Path of the backup; the manifest is stored next to it. */
  readonly file: string
  readonly signal: AbortSignal
  /** Rows written so far, and in total. */
  readonly onRows: (done: number, total: number) => void
  /** Default: what the disk of the folder has. */
  readonly freeBytes?: (folder: string) => number
}

/** The session of pg_dump. */
const COPY = 'qs-backup (copy)'

/**
 * Saves the database schema with all rows from one snapshot, while events keep arriving.
 *
 * pg_dump and the row counts use the same exported snapshot, so that restore can verify completeness. The file gets its
 * name only once it is on disk, complete and readable; an interrupted run leaves nothing that looks like a backup.
 *
 * @throws Error of PostgreSQL or pg_dump, or if pg_dump is missing
 */
export async function dumpBackup(options: BackupOptions): Promise<BackupManifest> {
  const { databaseUrl, file } = options
  const client = await openClient(databaseUrl, { name: 'qs-backup', connectTimeoutMs: 10_000 })
  const draft = `${file}.partial`
  try {
    mkdirSync(dirname(file), { recursive: true })
    const server = await describeServer(client)
    if (server.isCitus)
      throw new QsError('BACKUP_ON_CITUS', 'pg_dump would save the tables on the workers without rows')
    await checkRowsAreHere(client, server.schema)
    const pgDump = findTool('pg_dump', server.major)
    const pgRestore = findTool('pg_restore', pgDump.major)
    await checkRoomForDump({ ...options, folder: dirname(file) }, client, server.schema)
    // The snapshot lives as long as this transaction.
    await client.query(
      `set idle_in_transaction_session_timeout = 0; set statement_timeout = 0; ${TEXT_SETTINGS}`,
    )
    await client.query('begin isolation level repeatable read read only')
    const { rows } = await client.query<{ snapshot: string }>('select pg_export_snapshot() as snapshot')
    const createdAt = new Date().toISOString()
    const schemaVersion = await readSchemaVersion(client)
    const tables = await summarizeAll(client, server.schema, options.signal)
    await dump(client, {
      ...options,
      draft,
      pgDump: pgDump.path,
      snapshot: String(rows[0]?.snapshot),
      tables,
      schema: server.schema,
    })
    checkContents(await runTool(pgRestore.path, ['--list', draft], options), server.schema, tables)

    const manifest: BackupManifest = {
      format: 1,
      createdAt,
      serverVersion: server.version,
      pgDumpMajor: pgDump.major,
      schema: server.schema,
      schemaVersion,
      tables,
      bytes: statSync(draft).size,
      sha256: await sha256Of(draft),
    }
    publish(file, draft, manifest)
    return manifest
  } finally {
    rmSync(draft, { force: true })
    await client.end()
  }
}

/** @throws QsError if a table has its rows in tables of another schema, as a hypertable has, which --schema leaves out */
async function checkRowsAreHere(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ table: string }>(
    `select distinct c.relname::text as table from pg_inherits
     join pg_class c on c.oid = inhparent join pg_class part on part.oid = inhrelid
     where c.relnamespace = $1::regnamespace and part.relnamespace <> c.relnamespace`,
    [pg.escapeIdentifier(schema)],
  )
  if (rows.length === 0) return
  const names = rows.map(({ table }) => table).join(', ')
  throw new QsError(
    'BACKUP_FAILED',
    `The rows of ${names} are in another schema, and pg_dump would leave them out; qs backup without --pg-dump saves them`,
  )
}

async function summarizeAll(
  client: pg.Client,
  schema: string,
  signal: AbortSignal,
): Promise<readonly TableSummary[]> {
  const tables: TableSummary[] = []
  for (const table of await listTables(client, schema)) {
    signal.throwIfAborted()
    tables.push({ table, ...(await summarize(client, qualified(schema, table))) })
  }
  return tables
}

interface DumpOptions extends BackupOptions {
  readonly draft: string
  readonly pgDump: string
  readonly snapshot: string
  readonly schema: string
  readonly tables: readonly TableSummary[]
}

async function dump(client: pg.Client, options: DumpOptions): Promise<void> {
  const { draft, pgDump, snapshot, schema, tables, onRows, signal } = options
  const total = tables.reduce((sum, { rows }) => sum + rows, 0)
  // Readable only by the owner: the rows may be private.
  closeSync(openSync(draft, 'w', 0o600))
  const stopWatching = watchCopy(client, { name: COPY, total, onRows })
  try {
    await runTool(
      pgDump,
      [
        '--format=custom',
        '--no-owner',
        '--no-privileges',
        `--schema="${schema.replaceAll('"', '""')}"`,
      ].concat([`--snapshot=${snapshot}`, '--lock-wait-timeout=30s', '--no-password', `--file=${draft}`]),
      { environment: { ...libpqEnvironment(options.databaseUrl), PGAPPNAME: COPY }, signal },
    )
    onRows(total, total)
  } finally {
    stopWatching()
  }
}

function checkContents(list: string, schema: string, tables: readonly TableSummary[]): void {
  const absent = tables.filter(({ table }) => !list.includes(` TABLE DATA ${schema} ${table} `))
  if (absent.length > 0)
    throw new QsError('BACKUP_FAILED', `The backup lacks ${absent.map(({ table }) => table).join(', ')}`)
}

/** Publishes the dump last, so that if it exists, the backup is complete. */
function publish(file: string, draft: string, manifest: BackupManifest): void {
  sync(draft)
  const path = manifestPath(file)
  writeFileSync(`${path}.partial`, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  sync(`${path}.partial`)
  renameSync(`${path}.partial`, path)
  renameSync(draft, file)
  syncDirectory(dirname(file))
}

function sync(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
