import { statfsSync } from 'node:fs'
import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { sizeText } from '../storage/size-text.ts'
import type { Part } from './plan-parts.ts'
import { qualified } from './table-summary.ts'

/** What PostgreSQL believes of a table. */
interface Size {
  readonly rows: number
  readonly bytes: number
}

/** Of a row in a file, at least; with events in order it is 27. */
const ROW_BYTES = 20
/** Segments are compressed already; a file has at least this part of their size. */
const SEGMENT_SHARE = 0.5

/** By table. */
export async function estimateSizes(
  client: pg.Client,
  schema: string,
  parts: readonly Part[],
): Promise<ReadonlyMap<string, Size>> {
  const { rows } = await client.query<Size & { table: string }>(
    `select relname::text as table, greatest(reltuples, 0)::float8 as rows, pg_table_size(oid)::float8 as bytes
     from pg_class where oid = any($1::regclass[])`,
    [parts.map(({ table }) => qualified(schema, table.table))],
  )
  return new Map(rows.map(({ table, ...size }) => [table, size]))
}

interface Room {
  readonly folder: string
  readonly draft: { has(key: string): boolean }
  readonly freeBytes?: (folder: string) => number
}

/**
 * A backup that cannot fit must not fill the disk first, which may be that of the database. The estimate is low: one that
 * fits is never refused.
 *
 * @throws QsError with what is needed and what is free
 */
export function checkRoom(
  { folder, draft, freeBytes = freeOn }: Room,
  parts: readonly Part[],
  sizes: ReadonlyMap<string, Size>,
): void {
  const bytesOf = ({ table, key }: Part) => {
    const { rows, bytes } = sizes.get(table.table) ?? { rows: 0, bytes: 0 }
    if (key === null) return rows * ROW_BYTES
    return draft.has(key) ? 0 : (bytes * SEGMENT_SHARE) / parts.filter((each) => each.table === table).length
  }
  const needed = parts.reduce((sum, part) => sum + bytesOf(part), 0)
  const free = freeBytes(folder)
  if (needed > free)
    throw new QsError(
      'BACKUP_NO_ROOM',
      `The backup needs at least ${sizeText(needed)}, but ${folder} has ${sizeText(free)} free`,
    )
}

function freeOn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
