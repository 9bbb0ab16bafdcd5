import type { DatabaseClient } from './open-client.ts'
import type { Ask } from './query-pool.ts'

/** Runs queries on one connection. */
export function askClient(client: Pick<DatabaseClient, 'query'>): Ask {
  return {
    query: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query(text, [...values])).rows as Row[],
  }
}
