import type pg from 'pg'
import type { Config } from '../config/settings.ts'
import { MIN_POSTGRES_MAJOR } from '../database/migrate.ts'
import { openClient } from '../database/open-client.ts'
import { asQsError } from '../database/query-failure.ts'
import { QsError } from '../errors/qs-error.ts'
import { checkActivity } from './check-activity.ts'
import { checkClock } from './check-clock.ts'
import { checkConnections } from './check-connections.ts'
import { checkDisk } from './check-disk.ts'
import { checkDurability } from './check-durability.ts'
import { checkEventIds } from './check-event-ids.ts'
import { checkHours } from './check-hours.ts'
import { checkRights } from './check-rights.ts'
import { checkSchema } from './check-schema.ts'
import { checkWorkers } from './check-workers.ts'
import { type Finding, ok, problem, unknown } from './finding.ts'

const TIMEOUT_MS = 5_000

/** One check of the database; an error in one does not stop the others. */
type Check = (database: pg.Client, config: Config) => AsyncIterable<Finding>

const CHECKS: Readonly<Record<string, Check>> = {
  durability: checkDurability,
  workers: checkWorkers,
  schema: checkSchema,
  rights: checkRights,
  clock: checkClock,
  connections: checkConnections,
  disk: checkDisk,
  activity: checkActivity,
  hours: checkHours,
  'event ids': checkEventIds,
}

export async function* checkDatabase(url: string, config: Config): AsyncGenerator<Finding> {
  const { hostname, pathname } = new URL(url)
  const options = { name: 'qs-doctor', connectTimeoutMs: TIMEOUT_MS, queryTimeoutMs: TIMEOUT_MS }
  const database = await openClient(url, options).catch((error: QsError) => error)
  if (database instanceof QsError)
    return yield problem('database connection', database.problem, database.entry.advice)
  try {
    try {
      yield await checkVersion(database, `${hostname}${pathname}`)
    } catch (error) {
      const { problem: what, entry } = asQsError(error)
      return yield problem('database connection', what, entry.advice)
    }
    for (const [name, check] of Object.entries(CHECKS)) {
      try {
        yield* check(database, config)
      } catch (error) {
        yield unknown(`database ${name}`, `could not be checked: ${asQsError(error).problem}`)
      }
    }
  } finally {
    await database.end()
  }
}

async function checkVersion(database: pg.Client, place: string): Promise<Finding> {
  const { rows } = await database.query<{ version: string; number: number; role: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       current_user as role`,
  )
  const [{ version, number, role } = { version: '?', number: 0, role: '?' }] = rows
  return number >= MIN_POSTGRES_MAJOR * 10_000
    ? ok('database connection', `${place} as ${role}, PostgreSQL ${version}`)
    : problem(
        'database connection',
        `${place} is PostgreSQL ${version}`,
        `Upgrade it to ${MIN_POSTGRES_MAJOR} or newer`,
      )
}
