import { createHash } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import type { TableSummary } from './table-summary.ts'

/** What is known of a backup beside the file of pg_dump itself; all of it of the same instant. */
export interface BackupManifest {
  readonly format: 1
  readonly createdAt: string
  /** Of the server, as it names itself. */
  readonly serverVersion: string
  /** An older pg_restore cannot read what this pg_dump wrote. */
  readonly pgDumpMajor: number
  readonly schema: string
  /** The last migration that was applied; 0 where there was none. */
  readonly schemaVersion: number
  readonly tables: readonly TableSummary[]
  readonly bytes: number
  /** Of the file of pg_dump. */
  readonly sha256: string
}

/** Beside the file: qs-….dump and qs-….dump.json. */
export function manifestPath(file: string): string {
  return `${file}.json`
}

/** @throws Error that says which file is missing or is no manifest */
export function readManifest(file: string): BackupManifest {
  const path = manifestPath(file)
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new Error(
      code === 'ENOENT'
        ? `${path} is missing, and without it nothing can be verified. Copy both files of the backup.`
        : `${path} cannot be read: ${message}`,
    )
  }
  if (!isManifest(manifest))
    throw new Error(`${path} is no manifest of a backup that this version of qs can read`)
  return manifest
}

/** Its values become part of SQL: each has to be what it says. */
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

/** @param onBytes how much was read so far */
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
