import { loadConfig } from '../config/load.ts'
import { askClient } from '../database/ask-client.ts'
import { withClient } from '../database/open-client.ts'
import type { Ask } from '../database/query-pool.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'

/** Runs `work` with the database of the settings. */
export function withDatabase<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
  return withClient(findDatabaseUrl(loadConfig()), (client) => work(askClient(client)))
}
