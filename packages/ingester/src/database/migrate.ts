import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'

/** Where the numbered files are: beside src and dist. */
const MIGRATIONS = new URL('../../migrations/', import.meta.url)

/** Any number, the same in all ingesters. */
const ADVISORY_LOCK = 7_141_120_231

export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

/** The schema and this version do not go together, or a migration failed: a person is needed. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

/** The migrations that ship with this version, in order. */
export async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => /^\d{4}_.+\.sql$/.test(name)).sort()
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, MIGRATIONS), 'utf8')
      return {
        version: Number(name.slice(0, 4)),
        name,
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
      }
    }),
  )
}

/**
 * Brings the schema up to date: each migration once, in order, in a transaction of its own. Whoever comes second
 * waits at the advisory lock and then finds nothing left to do.
 *
 * @returns the names of what was applied now
 * @throws SchemaError where the database is newer than this version, or a migration that landed was changed since
 */
export async function migrate(url: string, migrations?: readonly Migration[]): Promise<readonly string[]> {
  const shipped = migrations ?? (await readMigrations())
  const client = new pg.Client({
    connectionString: url,
    application_name: 'qs-migrate',
    connectionTimeoutMillis: 10_000,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [ADVISORY_LOCK])
    const pending = await findPending(client, shipped)
    for (const migration of pending) await apply(client, migration)
    return pending.map(({ name }) => name)
  } finally {
    // Ends the session, and with it the lock.
    await client.end()
  }
}

async function findPending(client: pg.Client, shipped: readonly Migration[]): Promise<readonly Migration[]> {
  // Only where it is missing: a role that may not create tables finds an up-to-date schema up to date.
  const { rows: found } = await client.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!found[0]?.exists)
    await client.query(`create table if not exists schema_migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`)
  const { rows } = await client.query<{ version: number; name: string; checksum: string }>(
    'select version, name, checksum from schema_migrations order by version',
  )
  for (const { version, name, checksum } of rows) {
    const migration = shipped.find((each) => each.version === version)
    if (migration === undefined) {
      throw new SchemaError(
        `The database has migration ${name}, which this version does not know. Run the newer version of qs.`,
      )
    }
    if (migration.checksum !== checksum) {
      throw new SchemaError(
        `Migration ${name} was changed after it was applied. Restore the file and write a new migration.`,
      )
    }
  }
  const applied = new Set(rows.map(({ version }) => version))
  return shipped.filter(({ version }) => !applied.has(version))
}

async function apply(client: pg.Client, { version, name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
      version,
      name,
      checksum,
    ])
    await client.query('commit')
  } catch (error) {
    // Without SQLSTATE it is the connection that broke.
    if ((error as { readonly code?: string }).code?.length !== 5) throw error
    throw new SchemaError(
      `Migration ${name} failed, and nothing of it was applied: ${(error as Error).message}`,
      {
        cause: error,
      },
    )
  }
}
