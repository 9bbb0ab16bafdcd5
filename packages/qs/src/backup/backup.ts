import { to as copyTo } from 'pg-copy-streams'
import { type Migration, readMigrations } from '../database/migrate.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { BackupDraft, backupName } from './backup-folder.ts'
import { checkRoomForParts, estimateSizes } from './check-room.ts'
import { findOthers, namesOf } from './find-others.ts'
import type { Manifest, SavedPart } from './manifest.ts'
import { type Part, planParts } from './plan-parts.ts'
import { describeServer, readSchemaVersion } from './read-server.ts'
import { removeUnneeded } from './remove-backups.ts'
import { saveFile } from './saved-file.ts'
import { readSequences, rowsSql, tablesToSave } from './saved-tables.ts'
import { shippedObjects } from './schema-objects.ts'
import { beginSnapshot, openSnapshot, type Snapshot } from './snapshot.ts'
import { summarize } from './table-summary.ts'

/** SQLSTATE (PostgreSQL manual, appendix A). */
const INSUFFICIENT_PRIVILEGE = '42501'

export interface BackupOptions {
  /** URL with the owner role. */
  readonly databaseUrl: string
  readonly folder: string
  readonly now: Date
  /** Whether tables and columns that qs did not create may be left out. */
  readonly leaveOutOthers: boolean
  readonly signal: AbortSignal
  /** Rows saved so far, and about how many there are. */
  readonly onRows: (done: number, total: number) => void
  /** Default: what the disk of the folder has. */
  readonly freeBytes?: (folder: string) => number
}

export interface Saved {
  readonly path: string
  readonly manifest: Manifest
  /** Bytes of the files that were written now; the others are those of earlier backups. */
  readonly newBytes: number
}

/**
 * Saves the rows of all tables of qs from one snapshot, while events keep arriving: COPY into compressed files, and a
 * manifest with the row counts and checksums that the server computes in the same snapshot. docs/decisions/0031 explains
 * the format.
 *
 * @throws QsError if something cannot be saved; then nothing looks like a backup
 */
export async function backup(options: BackupOptions): Promise<Saved> {
  const { databaseUrl, folder, now, signal } = options
  signal.throwIfAborted()
  let snapshot: Snapshot | null = null
  let draft: BackupDraft | null = null
  let isSaved = false
  try {
    snapshot = await openSnapshot(databaseUrl, signal)
    const { copier } = snapshot
    const { schema, isCitus, version: serverVersion } = await describeServer(copier)
    const schemaVersion = await readSchemaVersion(copier)
    const shipped = await shippedObjects(databaseUrl, await migrationsTo(schemaVersion))
    await beginSnapshot(snapshot, schema, { tables: namesOf(shipped, 'table'), version: schemaVersion })
    const leftOut = await findOthers(copier, { schema, shipped, leaveOut: options.leaveOutOthers })
    const tables = await tablesToSave(copier, schema, shipped)
    const sequences = await readSequences(copier, schema, tables)

    removeUnneeded(folder)
    draft = new BackupDraft(folder, backupName(now, 'json'))
    const parts = await planParts(copier, schema, tables)
    const work = { ...options, ...snapshot, draft, schema, isCitus }
    const saved = await saveParts(work, parts)
    const manifest: Manifest = {
      ...{ format: 2, createdAt: now.toISOString(), serverVersion, schemaVersion },
      tables: tables.map(({ table, columns }) => ({ table, columns, parts: saved.parts.get(table) ?? [] })),
      ...{ sequences, leftOut },
    }
    draft.publish(manifest)
    isSaved = true
    return { path: draft.path, manifest, newBytes: saved.newBytes }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof QsError) throw error
    const { code } = error as { readonly code?: string }
    const reason = reasonOf(error)
    throw code === INSUFFICIENT_PRIVILEGE
      ? new QsError('BACKUP_RIGHTS', reason, { cause: error })
      : new QsError('BACKUP_FAILED', `The backup was not completed and was discarded: ${reason}`, {
          cause: error,
        })
  } finally {
    draft?.close()
    // Or each further try would leave more on the disk.
    if (draft !== null && !isSaved) removeUnneeded(folder)
    await snapshot?.close()
  }
}

/** @throws QsError if the database is newer than this qs */
async function migrationsTo(version: number): Promise<readonly Migration[]> {
  const migrations = await readMigrations()
  const newest = migrations.at(-1)?.version ?? 0
  if (version <= newest) return migrations.filter((each) => each.version <= version)
  throw new QsError('SCHEMA_NEWER', `The database has schema version ${version}, but this qs knows ${newest}`)
}

interface Work extends BackupOptions, Snapshot {
  readonly draft: BackupDraft
  readonly schema: string
  readonly isCitus: boolean
}

interface SavedParts {
  /** By table. */
  readonly parts: ReadonlyMap<string, readonly SavedPart[]>
  readonly newBytes: number
}

async function saveParts(work: Work, parts: readonly Part[]): Promise<SavedParts> {
  const saved = new Map<string, SavedPart[]>()
  const tables = parts.map(({ table }) => table.table)
  const sizes = await estimateSizes(work.counter, work.schema, tables)
  checkRoomForParts(work, parts, sizes)
  const total = [...sizes.values()].reduce((sum, { rows }) => sum + rows, 0)
  let [done, newBytes] = [0, 0]
  const onRows = (rows: number) => {
    done += rows
    work.onRows(done, Math.max(done, total))
  }
  for (const part of parts) {
    const { table } = part.table
    const earlier = part.key === null ? null : await work.draft.find(part.key)
    const each = earlier ?? (await savePart(work, part, onRows))
    if (earlier === null) newBytes += each.bytes
    else onRows(each.rows)
    saved.set(table, [...(saved.get(table) ?? []), each])
    work.signal.throwIfAborted()
  }
  work.onRows(done, done)
  return { parts: saved, newBytes }
}

async function savePart(
  { copier, counter, draft, folder, schema, isCitus, signal }: Work,
  { table, condition, key }: Part,
  onRows: (rows: number) => void,
): Promise<SavedPart> {
  const source = rowsSql(schema, table, condition)
  const [{ rows, ...file }, summary] = await Promise.all([
    saveFile(copier.query(copyTo(`copy ${source} to stdout`)), {
      ...{ folder, draft: draft.rowsPath, signal, onRows },
      need: (file) => draft.need(file),
    }),
    summarize(counter, source),
  ])
  if (rows !== summary.rows)
    throw new QsError(
      isCitus ? 'BACKUP_ON_CITUS' : 'BACKUP_FAILED',
      `${rows} rows of ${table.table} were copied, but it has ${summary.rows}`,
    )
  return { ...file, ...summary, key }
}
