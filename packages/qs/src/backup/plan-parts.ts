import type pg from 'pg'
import type { TableToSave } from './saved-tables.ts'

/** Rows of a table that go into one file. */
export interface Part {
  readonly table: TableToSave
  /** In SQL. */
  readonly condition: string
  /** Names rows that never change; null: they may change. */
  readonly key: string | null
}

/** How each table is cut into files: as a whole. */
export async function planParts(
  _client: pg.Client,
  _schema: string,
  tables: readonly TableToSave[],
): Promise<readonly Part[]> {
  return tables.map((table) => ({ table, condition: 'true', key: null }))
}
