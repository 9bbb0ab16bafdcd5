import pg from 'pg'

/** The content of rows, independent of their order. */
export interface RowSummary {
  readonly rows: number
  /** Sum of 64 bits of the MD5 of each row as text; a decimal number. */
  readonly checksum: string
}

export interface TableSummary extends RowSummary {
  readonly table: string
}

/** For SQL: the name of a table with its schema. */
export function qualified(schema: string, table: string): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`
}

/** The settings that affect a row as text; with them it is the same on every server. */
export const TEXT_SETTINGS = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres';
set bytea_output = 'hex'; set extra_float_digits = 1;`

/** The tables of the schema created by migrations or users, without those of extensions. */
export async function listTables(client: pg.Client, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ table: string }>(
    `select relname as table from pg_class c
     where relnamespace = $1::regnamespace and relkind = 'r' and not exists (
       select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by relname`,
    [pg.escapeIdentifier(schema)],
  )
  return rows.map(({ table }) => table)
}

/**
 * A sum does not depend on the order, and counts a repeated row twice. It uses MD5, since PostgreSQL's own hash
 * functions may differ between versions and machines.
 *
 * @param source a table, or a query in parentheses
 */
export function summarySql(source: string): string {
  return `select count(*) as rows, coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text as checksum
    from ${source} t`
}

/** Reads every row once. */
export async function summarize(client: pg.Client, source: string): Promise<RowSummary> {
  const { rows } = await client.query<{ rows: string; checksum: string }>(summarySql(source))
  return { rows: Number(rows[0]?.rows), checksum: String(rows[0]?.checksum) }
}
