import type { ClientBase } from 'pg'
import { readMigrations } from '../database/migrate.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const NAME = 'database schema'

export async function* checkSchema(database: ClientBase): AsyncGenerator<Finding> {
  const shipped = await readMigrations()
  const { rows: tables } = await database.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!tables[0]?.exists)
    return yield warning(
      NAME,
      'does not exist yet',
      'qs migrate creates it, and so does the ingester at start',
    )
  const { rows } = await database.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from schema_migrations order by version',
  )
  const applied = new Map(rows.map((row) => [row.version, row]))
  const missing = shipped.filter(({ version }) => !applied.has(version))
  const newer = rows.filter(({ version }) => !shipped.some((each) => each.version === version))
  const changed = shipped.filter(
    ({ version, checksum }) => (applied.get(version)?.checksum ?? checksum) !== checksum,
  )
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).join(', ')
  if (newer.length > 0)
    yield problem(
      NAME,
      `it has ${names(newer)}, which this version does not know`,
      'Run the newer version of qs',
    )
  else if (changed.length > 0)
    yield problem(NAME, `${names(changed)} was changed after it was applied`, 'Restore the file')
  else if (missing.length > 0) yield warning(NAME, `${names(missing)} is not applied yet`, 'qs migrate')
  else yield ok(NAME, `up to date: ${names(shipped.slice(-1))}`)
}
