import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { ADVISORY_LOCKS } from './advisory-locks.ts'
import { givingWay, LOCK_TIMEOUT } from './giving-way.ts'
import { grant } from './grant.ts'
import { openClient } from './open-client.ts'
import { queryFailure } from './query-failure.ts'

/** The folder of the numbered files, beside src and dist. */
const MIGRATIONS = new URL('../../migrations/', import.meta.url)

export const MIGRATION_LOCK = ADVISORY_LOCKS.migration

/** The oldest version that the storage contract supports. */
export const MIN_POSTGRES_MAJOR = 15

/** SQLSTATE (PostgreSQL manual, appendix A). */
const [UNDEFINED_TABLE, INSUFFICIENT_PRIVILEGE, LOCK_NOT_AVAILABLE] = ['42P01', '42501', '55P03']
/** A connection, resources or the server were lost (classes 08, 53, 57P): nothing is wrong with the migration. */
const ENVIRONMENT = /^(08|53|57P)/
/** A proxy may take connections for a server that does not answer. Migrations themselves take as long as they take. */
const FIRST_QUERY = { query_timeout: 10_000 }

export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

export interface MigrateOptions {
  /** Called each time a migration, or grants.sql, did not get its locks in time; it is then retried. */
  readonly onBusy?: (name: string) => void
  /** Called once, when another process holds the lock of the migrations, for which this one then waits. */
  readonly onWait?: () => void
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
 * Brings the schema up to date: each migration once, in order, in its own transaction, then the rights of the roles. A
 * second process waits for the advisory lock and then finds nothing left to do. A role that does not own the tables
 * only checks whether they are up to date.
 *
 * @returns the names of the migrations applied now
 * @throws QsError if PostgreSQL is too old, the database is newer than this version, an applied migration was changed, or
 * this role may not apply a pending one, or lacks another right
 */
export async function migrate(
  url: string,
  migrations?: readonly Migration[],
  options: MigrateOptions = {},
): Promise<readonly string[]> {
  const shipped = migrations ?? (await readMigrations())
  const client = await openClient(url, { name: 'qs-migrate', connectTimeoutMs: 10_000 })
  try {
    await checkVersion(client)
    await takeLock(client, options.onWait)
    const isOwner = await ownsSchema(client)
    const pending = await findPending(client, shipped, isOwner)
    for (const migration of pending) await apply(client, migration, options)
    // The grants belong to the shipped migrations: others do not create the tables that they name.
    if (isOwner && migrations === undefined) await grant(client, options.onBusy)
    return pending.map(({ name }) => name)
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string }
    if (code !== INSUFFICIENT_PRIVILEGE) throw queryFailure(error)
    throw new QsError('DATABASE_RIGHTS', `The role ${client.user} may not do what is needed: ${message}`, {
      cause: error,
    })
  } finally {
    // Ends the session and so releases the lock.
    await client.end()
  }
}

async function checkVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ version: string; number: number }>({
    text: `select current_setting('server_version') as version, current_setting('server_version_num')::int as number`,
    ...FIRST_QUERY,
  })
  const [{ version, number } = { version: '?', number: 0 }] = rows
  if (number < MIN_POSTGRES_MAJOR * 10_000)
    throw new QsError('DATABASE_TOO_OLD', `${client.host}:${client.port} is PostgreSQL ${version}`)
}

/**
 * Waits as long as another process holds the lock: its migrations may take hours. Other locks, such as one on the table
 * of the history, are waited for only as long as `lock_timeout` says.
 */
async function takeLock(client: pg.Client, onWait?: () => void): Promise<void> {
  await client.query(`set lock_timeout = '${LOCK_TIMEOUT}'`)
  for (let tries = 0; ; tries++) {
    try {
      await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
      return
    } catch (error) {
      if ((error as { readonly code?: string }).code !== LOCK_NOT_AVAILABLE) throw error
      if (tries === 0) onWait?.()
    }
  }
}

/** Whether this role may change the schema: as owner of the existing tables, or because it may create them. */
async function ownsSchema(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ owns: boolean }>(`
    select coalesce(
      (select pg_has_role(relowner, 'usage') from pg_class where oid = to_regclass('schema_migrations')),
      has_schema_privilege(current_schema(), 'create')) as owns`)
  return rows[0]?.owns === true
}

async function findPending(
  client: pg.Client,
  shipped: readonly Migration[],
  isOwner: boolean,
): Promise<readonly Migration[]> {
  if (isOwner) await createHistory(client)
  const applied = await readApplied(client, isOwner)
  for (const { version, name, checksum } of applied) {
    const migration = shipped.find((each) => each.version === version)
    if (migration === undefined) {
      throw new QsError(
        'SCHEMA_NEWER',
        `The database has migration ${name}, which this version does not know`,
      )
    }
    if (migration.checksum !== checksum) {
      throw new QsError('MIGRATION_CHANGED', `Migration ${name} was changed after it was applied`)
    }
  }
  const versions = new Set(applied.map(({ version }) => version))
  const pending = shipped.filter(({ version }) => !versions.has(version))
  if (pending.length > 0 && !isOwner) throw await notTheOwner(client, `lacks ${pending[0]?.name}`)
  return pending
}

/** The table of applied migrations. */
export async function createHistory(client: pg.Client): Promise<void> {
  // Only if it is missing: the owner of the tables may lack the right to create others.
  const { rows } = await client.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!rows[0]?.exists)
    await client.query(`create table if not exists schema_migrations (
    version integer primary key, name text not null, checksum text not null, applied_at timestamptz not null default now())`)
}

interface Applied {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

async function readApplied(client: pg.Client, isOwner: boolean): Promise<readonly Applied[]> {
  try {
    const { rows } = await client.query<Applied>(
      'select version, name, checksum from schema_migrations order by version',
    )
    return rows
  } catch (error) {
    const { code } = error as { readonly code?: string }
    if (isOwner || (code !== UNDEFINED_TABLE && code !== INSUFFICIENT_PRIVILEGE)) throw error
    throw await notTheOwner(
      client,
      code === UNDEFINED_TABLE ? 'has no tables yet' : 'denies access to schema_migrations',
    )
  }
}

async function notTheOwner(client: pg.Client, problem: string): Promise<QsError> {
  const { rows } = await client.query<{ role: string; database: string }>(
    'select current_user as role, current_database() as database',
  )
  const { role, database } = rows[0] ?? { role: '?', database: '?' }
  return new QsError(
    'NOT_THE_OWNER',
    `The database ${database} ${problem}, and the role ${role} may not change that`,
  )
}

/** Runs a migration in the transaction of the caller. */
export async function runMigration(
  client: pg.Client,
  { version, name, sql, checksum }: Migration,
): Promise<void> {
  await client.query(sql)
  await client.query('insert into schema_migrations (version, name, checksum) values ($1, $2, $3)', [
    version,
    name,
    checksum,
  ])
}

async function apply(client: pg.Client, migration: Migration, { onBusy }: MigrateOptions): Promise<void> {
  const { name } = migration
  try {
    await givingWay(
      client,
      () => runMigration(client, migration),
      () => onBusy?.(name),
    )
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string }
    // Without SQLSTATE the connection broke.
    if (code?.length !== 5 || ENVIRONMENT.test(code)) throw error
    throw new QsError('MIGRATION_FAILED', `Migration ${name} failed: ${message}`, { cause: error })
  }
}
