import pg from 'pg'

/** Connections for questions, not for events: readiness, zones of devices. Every one is bounded in time. */
export function createPool(url: string, { timeoutMs }: { readonly timeoutMs: number }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'qs-queries',
    max: 2,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 10_000,
  })
  pool.on('error', () => {})
  return pool
}

/** Runs one statement. A connection that failed is destroyed: after a time-out its answer is still to come. */
export async function queryOnce(pool: pg.Pool, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = await pool.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(text)
    client.release()
    return rows
  } catch (error) {
    client.release(true)
    throw error
  }
}
