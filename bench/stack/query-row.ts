import { Client } from 'pg'

const QUERY_TIMEOUT_MS = 120_000

type Row = Readonly<Record<string, string>>

/** Runs statements on a connection of its own, with a time limit. Returns the last one's first row, numbers as text. */
export async function queryRow(url: string, sql: string, timeoutMs = QUERY_TIMEOUT_MS): Promise<Row> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    query_timeout: timeoutMs,
    types: { getTypeParser: () => (text: string) => text },
  })
  client.on('error', () => {})
  await client.connect()
  try {
    const results = [await client.query<Row>(sql)].flat()
    return results.at(-1)?.rows[0] ?? {}
  } finally {
    await client.end()
  }
}
