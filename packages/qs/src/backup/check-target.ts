import type pg from 'pg'
import { runningIngesters } from '../database/running-ingesters.ts'
import { QsError } from '../errors/qs-error.ts'

/** Tables whose rows nobody can bring back. */
const PRECIOUS = ['events', 'event_segments', 'dead_letters', 'dead_letters_counted']

/** @throws QsError if a restore into this database would fail or harm something */
export async function checkTarget(client: pg.Client, replace: boolean): Promise<void> {
  const { rows } = await client.query<{ schema: string | null; owner: boolean | null; role: string }>(
    `select current_schema() as schema, has_schema_privilege(current_schema(), 'create') as owner, current_user as role`,
  )
  const [{ schema, owner, role } = { schema: null, owner: null, role: '?' }] = rows
  if (schema === null)
    throw new QsError('SEARCH_PATH_WRONG', `The search_path of the role ${role} names no existing schema`)
  if (!owner) throw new QsError('NOT_THE_OWNER', `The role ${role} may not create tables`)

  const ingesters = await runningIngesters(client)
  if (ingesters.length > 0) {
    throw new QsError('INGESTER_RUNNING', `An ingester is writing to this database (${ingesters.join(', ')})`)
  }
  if (!replace && (await holdsRows(client))) {
    throw new QsError('DATABASE_NOT_EMPTY', 'The database contains events')
  }
}

async function holdsRows(client: pg.Client): Promise<boolean> {
  for (const table of PRECIOUS) {
    const { rows } = await client.query('select where to_regclass($1) is not null', [table])
    if (rows.length > 0 && (await client.query(`select from ${table} limit 1`)).rows.length > 0) return true
  }
  return false
}
