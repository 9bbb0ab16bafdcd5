import type { Ask } from '../database/query-pool.ts'
import { diskSpaceOf } from '../telemetry/disk-space.ts'
import { localDirectory } from './local-directory.ts'

/**
 * Free bytes on the disk of the database.
 *
 * @param dataDirectory of `qs up`; null: PostgreSQL is asked, and tells a role that may know
 * @returns null: unknown, as on another machine
 */
export async function databaseFreeBytes(ask: Ask, dataDirectory: string | null): Promise<number | null> {
  const directory = dataDirectory ?? (await localDirectory(ask))
  return directory === null ? null : (diskSpaceOf(directory)?.freeBytes ?? null)
}
