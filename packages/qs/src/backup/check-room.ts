import { statfsSync } from 'node:fs'
import pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { sizeText } from '../storage/size-text.ts'
import { type Part, SEGMENTS } from './plan-parts.ts'

/** What PostgreSQL believes of a table. */
interface Size {
  readonly rows: number
  readonly bytes: number
}

/** Of a row in a file, at least; with events in order it is 27. */
const ROW_BYTES = 20
/** Segments are compressed already; a file has at least this part of their size. */
const SEGMENT_SHARE = 0.5

/** By table; those that the schema does not have are left out. */
export async function estimateSizes(
  client: pg.Client,
  schema: string,
  tables: readonly string[],
): Promise<ReadonlyMap<string, Size>> {
  const { rows } = await client.query<Size & { table: string }>(
    `select relname::text as table, greatest(reltuples, 0)::float8 as rows, pg_table_size(oid)::float8 as bytes
     from pg_class where relnamespace = $1::regnamespace and relname = any($2)`,
    [pg.escapeIdentifier(schema), tables],
  )
  return new Map(rows.map(({ table, ...size }) => [table, size]))
}

export interface Room {
  readonly folder: string
  readonly freeBytes?: (folder: string) => number
}

/** For the parts that no earlier backup has. @throws QsError as `checkRoom` */
export function checkRoomForParts(
  room: Room & { readonly draft: { has(key: string): boolean } },
  parts: readonly Part[],
  sizes: ReadonlyMap<string, Size>,
): void {
  const needed = parts.map(({ table: { table }, key }) => {
    if (key !== null && room.draft.has(key)) return 0
    return bytesInFiles(table, sizes) / parts.filter((each) => each.table.table === table).length
  })
  checkRoom(room, needed)
}

/** For one file with the two tables that fill a disk; your own may compress to almost nothing. @throws QsError as `checkRoom` */
export async function checkRoomForDump(room: Room, client: pg.Client, schema: string): Promise<void> {
  const tables = ['events', SEGMENTS]
  const sizes = await estimateSizes(client, schema, tables)
  checkRoom(
    room,
    tables.map((table) => bytesInFiles(table, sizes)),
  )
}

function bytesInFiles(table: string, sizes: ReadonlyMap<string, Size>): number {
  const { rows, bytes } = sizes.get(table) ?? { rows: 0, bytes: 0 }
  return table === SEGMENTS ? bytes * SEGMENT_SHARE : rows * ROW_BYTES
}

/**
 * A backup that cannot fit must not fill the disk first, which may be that of the database. The estimate is low: one that
 * fits is never refused.
 *
 * @throws QsError with what is needed and what is free
 */
function checkRoom({ folder, freeBytes = freeOn }: Room, bytes: readonly number[]): void {
  const needed = bytes.reduce((sum, each) => sum + each, 0)
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
