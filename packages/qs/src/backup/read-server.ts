import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'

interface Server {
  readonly version: string
  readonly number: number
  readonly schema: string | null
  /** The rows of distributed tables are on other servers, and no snapshot covers them all. */
  readonly isCitus: boolean
}

export async function describeServer(client: pg.Client) {
  const { rows } = await client.query<Server>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
     current_schema() as schema, to_regclass('pg_dist_partition') is not null as "isCitus"`,
  )
  const { version, number, schema, isCitus } = rows[0] as Server
  if (schema === null) {
    throw new QsError('SEARCH_PATH_WRONG', 'The search_path of this role names no existing schema')
  }
  return { version, schema, isCitus, major: Math.floor(number / 10_000) }
}

export async function readSchemaVersion(client: pg.Client): Promise<number> {
  const { rows: found } = await client.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!found[0]?.exists) {
    throw new QsError('NOTHING_TO_SAVE', 'There is nothing to save: the database has no tables of qs')
  }
  const { rows } = await client.query<{ version: number }>(
    'select coalesce(max(version), 0) as version from schema_migrations',
  )
  return Number(rows[0]?.version)
}
