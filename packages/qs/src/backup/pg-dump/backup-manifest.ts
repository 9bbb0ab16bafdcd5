import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { QsError } from '../../errors/qs-error.ts'
import type { TableSummary } from '../table-summary.ts'

/** Metadata of a backup, stored next to the file of pg_dump and taken from the same snapshot. */
export interface BackupManifest {
  readonly format: 1
  readonly createdAt: string
  /** As reported by the server. */
  readonly serverVersion: string
  /** An older pg_restore cannot read the file of this pg_dump. */
  readonly pgDumpMajor: number
  readonly schema: string
  /** The last migration applied; 0 if none. */
  readonly schemaVersion: number
  readonly tables: readonly TableSummary[]
  readonly bytes: number
  /** SHA-256 of the file of pg_dump. */
  readonly sha256: string
}

/** Next to the file: qs-….dump and qs-….dump.json. */
export function manifestPath(file: string): string {
  return `${file}.json`
}

/** @throws Error that names the missing or invalid file */
export function readManifest(file: string): BackupManifest {
  const path = manifestPath(file)
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new QsError(
      'BACKUP_UNUSABLE',
      code === 'ENOENT'
        ? `${path} is missing, and without it the backup cannot be verified`
        : `${path} cannot be read: ${message}`,
    )
  }
  if (!isManifest(manifest)) {
    throw new QsError('BACKUP_UNUSABLE', `${path} is not a backup manifest that this version of qs can read`)
  }
  return manifest
}

/** Checks types strictly, since the values become part of SQL. */
function isManifest(value: unknown): value is BackupManifest {
  const each = value as Partial<BackupManifest> | null
  return (
    each?.format === 1 &&
    typeof each.schema === 'string' &&
    typeof each.sha256 === 'string' &&
    Number.isInteger(each.pgDumpMajor) &&
    Number.isInteger(each.schemaVersion) &&
    Array.isArray(each.tables) &&
    each.tables.every(
      ({ table, rows, checksum }) =>
        typeof table === 'string' && Number.isInteger(rows) && /^-?\d+$/.test(checksum),
    )
  )
}

/** @param onBytes gets the number of bytes read so far */
export async function sha256Of(file: string, onBytes: (bytes: number) => void = () => {}): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
    onBytes(bytes)
  }
  return hash.digest('hex')
}
