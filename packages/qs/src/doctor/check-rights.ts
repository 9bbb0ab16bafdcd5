import type { ClientBase } from 'pg'
import { type Finding, ok, problem } from './finding.ts'

/** Rights that an ingester needs. Updates are those of upserts, and may be granted for single columns. */
const NEEDED = {
  events: ['select', 'insert'],
  dead_letters: ['select', 'insert'],
  devices: ['select', 'insert', 'update'],
  ingest_stats: ['select', 'insert', 'update'],
  dead_letters_counted: ['select', 'insert', 'update'],
} as const

const SQL = `
select wanted as name
from unnest($1::text[], $2::text[]) as w(relation, privilege), lateral (select relation || ' ' || privilege) as n(wanted)
where to_regclass(relation) is not null and not has_any_column_privilege(relation, privilege)`

export async function* checkRights(database: ClientBase): AsyncGenerator<Finding> {
  const pairs = Object.entries(NEEDED).flatMap(([table, rights]) =>
    rights.map((right) => [table, right] as const),
  )
  const { rows } = await database.query<{ name: string }>(SQL, [
    pairs.map(([table]) => table),
    pairs.map(([, right]) => right),
  ])
  const missing = rows.map(({ name }) => name).join(', ')
  yield rows.length === 0
    ? ok('database rights', 'this role has the rights of an ingester')
    : problem('database rights', `this role lacks: ${missing}`, 'Grant these as the owner of the tables')
}
