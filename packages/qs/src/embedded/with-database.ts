import { mkdirSync } from 'node:fs'
import type { Config } from '../config/settings.ts'
import type { Log } from '../telemetry/log.ts'
import { lockDataDirectory } from './postgres/data-directory-lock.ts'
import { startEmbeddedPostgres } from './postgres/embedded-postgres.ts'

/**
 * Runs `work` on the database of DATABASE_URL or, without it, on the embedded database, which is started for this and
 * stopped afterwards, so that no ingester of `qs up` uses it.
 *
 * @throws Error if qs up runs on the data directory
 */
export async function withDatabase<T>(
  { DATABASE_URL: databaseUrl, QS_DATA_DIR: dataDir, POSTGRES_PORT: port }: Config,
  log: Log,
  work: (databaseUrl: string) => Promise<T>,
): Promise<T> {
  if (databaseUrl !== null) return work(databaseUrl)
  mkdirSync(dataDir, { recursive: true })
  const lock = lockDataDirectory(dataDir)
  try {
    const embedded = await startEmbeddedPostgres({ dataDir, port, log })
    return await work(embedded.url).finally(() => embedded.stop())
  } finally {
    lock.release()
  }
}
