import pg from 'pg'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { clientOf } from './client-of.ts'
import { queryFailure } from './query-failure.ts'

/** Connections for queries other than storing events: readiness, device time zones. Each query is bounded in time. */
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
 * A connection that breaks fails its queries, which handle the failure. It also emits `error`, which would end the
 * process; the pool listens for it only on idle connections, not on checked-out ones.
 */
export function surviveBrokenConnections(pool: pg.Pool): void {
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
}

/**
 * Runs one statement. On failure the connection is destroyed: after a time-out, its answer may still arrive.
 *
 * @throws what `queryFailure` makes of the error
 */
export async function queryOnce(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> {
  const client = await pool.connect().catch((error) => {
    throw queryFailure(error)
  })
  try {
    const { rows } = await client.query<Record<string, unknown>>(text, [...values])
    client.release()
    return rows
  } catch (error) {
    client.release(true)
    throw queryFailure(error)
  }
}
