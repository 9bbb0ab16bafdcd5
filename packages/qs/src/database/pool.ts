import pg from 'pg'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { clientOf } from './client-of.ts'

/** Connections for questions, not for events: readiness, zones of devices. Every one is bounded in time. */
export function createPool(url: DatabaseUrl, { timeoutMs }: { readonly timeoutMs: number }): pg.Pool {
  const pool = new pg.Pool({
    Client: clientOf(url),
    application_name: 'qs-queries',
    max: 2,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    idleTimeoutMillis: 10_000,
  })
  surviveBrokenConnections(pool)
  return pool
}

/**
 * A connection that breaks fails its queries, which is where it is dealt with. It emits `error` besides, which would
 * end the process; the pool hears that of idle connections only, and not of those that are lent out.
 */
export function surviveBrokenConnections(pool: pg.Pool): void {
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
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
