import { createHash } from 'node:crypto'
import pg from 'pg'
import type { TableToSave } from './saved-tables.ts'
import { qualified } from './table-summary.ts'

/** Rows of a table that go into one file. */
export interface Part {
  readonly table: TableToSave
  /** In SQL. */
  readonly condition: string
  /** Names rows that never change; null: they may change. */
  readonly key: string | null
}

export const SEGMENTS = 'event_segments'
/** About a million events and 10 MB: little to write again when one of the segments is merged. */
const SEGMENTS_A_PART = 1000

/** How each table is cut into files: segments by number, the others as a whole. */
export async function planParts(
  client: pg.Client,
  schema: string,
  tables: readonly TableToSave[],
): Promise<readonly Part[]> {
  const parts: Part[] = []
  for (const table of tables) {
    if (table.table === SEGMENTS) parts.push(...(await segmentParts(client, schema, table)))
    else parts.push({ table, condition: 'true', key: null })
  }
  return parts
}

/**
 * A segment never changes; it is merged with others or dropped. Its `content` is the SHA-256 of its arrays, so the key of a
 * part covers every byte without reading them.
 */
async function segmentParts(client: pg.Client, schema: string, table: TableToSave): Promise<readonly Part[]> {
  const narrow = await narrowColumns(client, schema, table)
  const { rows } = await client.query<{ part: string; fingerprint: string }>(
    `select segment_id / ${SEGMENTS_A_PART} as part, md5(string_agg(row(${narrow})::text, '' order by segment_id)) as fingerprint
     from ${qualified(schema, table.table)} group by 1 order by 1`,
  )
  return rows.map(({ part, fingerprint }) => {
    const first = BigInt(part) * BigInt(SEGMENTS_A_PART)
    const content = JSON.stringify([table.columns, part, fingerprint])
    return {
      table,
      condition: `segment_id >= ${first} and segment_id < ${first + BigInt(SEGMENTS_A_PART)}`,
      key: `${SEGMENTS} ${createHash('sha256').update(content).digest('hex')}`,
    }
  })
}

/** All columns but the arrays. */
async function narrowColumns(client: pg.Client, schema: string, table: TableToSave): Promise<string> {
  const { rows } = await client.query<{ column: string }>(
    `select attname::text as column from pg_attribute join pg_type t on t.oid = atttypid
     where attrelid = $1::regclass and attname = any($2) and typcategory <> 'A' order by attnum`,
    [qualified(schema, table.table), table.columns],
  )
  return rows.map(({ column }) => pg.escapeIdentifier(column)).join(', ')
}
