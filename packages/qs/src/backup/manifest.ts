import { readFileSync } from 'node:fs'
import { QsError } from '../errors/qs-error.ts'
import type { SavedFile } from './saved-file.ts'
import type { RowSummary } from './table-summary.ts'

/** Rows of a table, in one file. */
export interface SavedPart extends SavedFile, RowSummary {
  /** Rows that never change are known by this, without reading them; null: they may change. */
  readonly key: string | null
}

export interface SavedTable {
  readonly table: string
  readonly columns: readonly string[]
  readonly parts: readonly SavedPart[]
}

/** Where the numbers of an identity column go on. */
export interface SavedSequence {
  readonly table: string
  readonly column: string
  /** A bigint. */
  readonly last: string
  readonly isCalled: boolean
}

/** A backup: its manifest names the files with the rows, all of one snapshot. */
export interface Manifest {
  /** 1 is that of pg_dump. */
  readonly format: 2
  readonly createdAt: string
  /** As reported by the server. */
  readonly serverVersion: string
  /** The last migration applied. */
  readonly schemaVersion: number
  readonly tables: readonly SavedTable[]
  readonly sequences: readonly SavedSequence[]
  /** What was in the schema and is not in the backup: `view my_report`. */
  readonly leftOut: readonly string[]
}

export function summaryOf({ parts }: SavedTable): RowSummary {
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    checksum: String(parts.reduce((sum, { checksum }) => sum + BigInt(checksum), 0n)),
  }
}

export function filesOf({ tables }: Manifest): readonly SavedPart[] {
  return tables.flatMap(({ parts }) => parts)
}

export function totalRows({ tables }: Manifest): number {
  return tables.reduce((sum, table) => sum + summaryOf(table).rows, 0)
}

/** @throws QsError that names the missing or invalid file */
export function readManifest(path: string): Manifest {
  let manifest: unknown
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new QsError(
      'BACKUP_UNUSABLE',
      code === 'ENOENT' ? `There is no file ${path}` : `${path} cannot be read: ${message}`,
    )
  }
  if (!isManifest(manifest))
    throw new QsError(
      'BACKUP_UNUSABLE',
      `${path} is not the manifest of a backup that this version of qs can read`,
    )
  return manifest
}

const isText = (value: unknown): value is string => typeof value === 'string'
const isInteger = (value: unknown) => Number.isSafeInteger(value)

/** Checks types strictly, since the values become part of SQL and of paths. */
function isManifest(value: unknown): value is Manifest {
  const each = value as Partial<Manifest> | null
  return (
    each?.format === 2 &&
    isText(each.createdAt) &&
    isInteger(each.schemaVersion) &&
    Array.isArray(each.leftOut) &&
    Array.isArray(each.tables) &&
    each.tables.every(isTable) &&
    Array.isArray(each.sequences) &&
    each.sequences.every(isSequence)
  )
}

function isTable(value: unknown): boolean {
  const { table, columns, parts } = value as Partial<SavedTable>
  const isList = Array.isArray(columns) && Array.isArray(parts)
  return isText(table) && isList && columns.length > 0 && columns.every(isText) && parts.every(isPart)
}

function isPart({ file, bytes, rows, checksum, key }: SavedPart): boolean {
  const isNamed = /^[0-9a-f]{64}$/.test(file) && (key === null || isText(key))
  return isNamed && isInteger(bytes) && isInteger(rows) && /^-?\d+$/.test(checksum)
}

function isSequence({ table, column, last, isCalled }: SavedSequence): boolean {
  return isText(table) && isText(column) && /^-?\d+$/.test(last) && typeof isCalled === 'boolean'
}
