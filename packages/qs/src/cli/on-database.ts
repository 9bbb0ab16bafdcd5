import type { Config } from '../config/settings.ts'
import { withDatabase } from '../embedded/with-database.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { hasCode } from '../errors/qs-error.ts'
import { createLog } from '../telemetry/log.ts'

/** Runs `work` on the database of this configuration. The embedded one is started where qs up does not run. */
export async function onDatabase<T>(config: Config, work: (databaseUrl: string) => Promise<T>): Promise<T> {
  const url = findDatabaseUrl(config)
  try {
    return await withDatabase(config, createLog(config.LOG_LEVEL), work)
  } catch (error) {
    if (hasCode(error, 'DATA_DIRECTORY_IN_USE')) return await work(url)
    throw error
  }
}
