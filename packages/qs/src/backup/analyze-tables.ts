import { openClient } from '../database/open-client.ts'
import { describeServer } from './read-server.ts'
import { qualified } from './table-summary.ts'

/**
 * Without statistics, the first charts after a restore would be slow.
 *
 * @returns whether this is Citus, where `events` is now a table of the coordinator alone
 */
export async function analyzeTables(
  databaseUrl: string,
  tables: readonly { readonly table: string }[],
): Promise<boolean> {
  const client = await openClient(databaseUrl, { name: 'qs-restore', connectTimeoutMs: 10_000 })
  try {
    await client.query('set statement_timeout = 0; set client_min_messages = error')
    const { schema, isCitus } = await describeServer(client)
    for (const { table } of tables) await client.query(`analyze ${qualified(schema, table)}`)
    return isCitus
  } finally {
    await client.end()
  }
}
