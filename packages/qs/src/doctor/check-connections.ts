import type { ClientBase } from 'pg'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const SQL = `
select current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int as slots,
  (select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as used`

/** One for the lock on its name, two for queries, and one spare for an administrator. */
const BESIDE_WRITERS = 4

export async function* checkConnections(database: ClientBase, config: Config): AsyncGenerator<Finding> {
  const [{ slots, used } = { slots: 0, used: 0 }] = (
    await database.query<{ slots: number; used: number }>(SQL)
  ).rows
  const needed = config.DATABASE_WRITERS + BESIDE_WRITERS
  const name = 'database connections'
  const detail = `${used} of ${slots} in use; an ingester needs ${needed}`
  const advice = 'Raise max_connections, or find out who holds connections: select * from pg_stat_activity'
  if (slots - used <= 0) yield problem(name, detail, advice)
  else if (slots - used < needed) yield warning(name, `${detail}, unless it is already running`, advice)
  else yield ok(name, detail)
}
