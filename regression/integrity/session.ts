import type { TestContext } from 'node:test'
import { Client } from 'pg'
import type { Postgres } from './postgres.ts'

/** A superuser session that lasts as long as the test; it may be cut off. */
export async function openSession(t: TestContext, { superUrl }: Postgres): Promise<Client> {
  const client = new Client({ connectionString: superUrl, application_name: 'saboteur' })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end().catch(() => {}))
  return client
}
