import pg from 'pg'
import type { SavedSequence } from './manifest.ts'
import { qualified } from './table-summary.ts'

/** A table of qs, and the columns that hold its rows. */
export interface TableToSave {
  readonly table: string
  readonly columns: readonly string[]
}

/** Generated columns are left out: they are computed again. The rows of a partitioned table are those of its partitions. */
export async function tablesToSave(
  client: pg.Client,
  schema: string,
  shipped: ReadonlySet<string>,
): Promise<readonly TableToSave[]> {
  const { rows } = await client.query<{ table: string; columns: string[] }>(
    `select c.relname::text as table, array_agg(attname::text order by attnum) as columns
     from pg_class c join pg_attribute a on attrelid = c.oid
     where relnamespace = $1::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped and attgenerated = ''
       and 'table ' || relname = any($2) and 'column ' || relname || '.' || attname = any($2)
     group by relname order by relname`,
    [pg.escapeIdentifier(schema), [...shipped]],
  )
  return rows
}

/** A statement for the rows of a table, all or some. */
export function rowsSql(schema: string, { table, columns }: TableToSave, condition = 'true'): string {
  const list = columns.map((column) => pg.escapeIdentifier(column)).join(', ')
  return `(select ${list} from ${qualified(schema, table)} where ${condition})`
}

export async function readSequences(
  client: pg.Client,
  schema: string,
  tables: readonly TableToSave[],
): Promise<readonly SavedSequence[]> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(
    `select c.relname::text as table, a.attname::text as column, s.oid::regclass::text as sequence
     from pg_class s join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.deptype in ('a', 'i')
     join pg_class c on c.oid = d.refobjid join pg_attribute a on attrelid = c.oid and attnum = d.refobjsubid
     where s.relkind = 'S' and c.relnamespace = $1::regnamespace and c.relname = any($2) order by 1, 2`,
    [pg.escapeIdentifier(schema), tables.map(({ table }) => table)],
  )
  const sequences: SavedSequence[] = []
  for (const { table, column, sequence } of rows) {
    const { rows: state } = await client.query<{ last: string; isCalled: boolean }>(
      `select last_value as last, is_called as "isCalled" from ${sequence}`,
    )
    sequences.push({ table, column, last: String(state[0]?.last), isCalled: state[0]?.isCalled === true })
  }
  return sequences
}
