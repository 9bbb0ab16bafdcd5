import pg from 'pg'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { clientOf } from './client-of.ts'
import { surviveBrokenConnections } from './pool.ts'

/** Database queries, each bounded in time. */
export interface Ask {
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface QueryPoolOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly connections: number
  /** PostgreSQL cancels a statement that takes longer. */
  readonly timeoutMs: number
  /** Gets the id of the server process of each new connection. */
  readonly onConnect?: (pid: number) => void
}

/** How long after the time-out to wait for the server to cancel a statement before the connection counts as dead. */
const GRACE_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000

/** A few separate connections for users' queries, so that these never wait for events, nor events for them. */
export class QueryPool implements Ask {
  readonly #pool: pg.Pool
  readonly #lent = new Set<pg.PoolClient>()

  constructor(url: DatabaseUrl, { name, connections, timeoutMs, onConnect }: QueryPoolOptions) {
    this.#pool = new pg.Pool({
      Client: clientOf(url),
      application_name: name,
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs + GRACE_MS,
      idle_in_transaction_session_timeout: timeoutMs,
      idleTimeoutMillis: 60_000,
    })
    surviveBrokenConnections(this.#pool)
    // pg has the id, its types do not.
    if (onConnect)
      this.#pool.on('connect', (client) => onConnect((client as unknown as { processID: number }).processID))
  }

  query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.use(async (client) => (await client.query(text, [...values])).rows as Row[])
  }

  /** On failure the connection is destroyed: after a time-out, its answer may still arrive. */
  async use<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    this.#lent.add(client)
    try {
      const result = await work(client)
      client.release()
      return result
    } catch (error) {
      client.release(true)
      throw error
    } finally {
      this.#lent.delete(client)
    }
  }

  /** Waits for queries in progress. */
  async end(): Promise<void> {
    await this.#pool.end()
  }

  /** Aborts queries in progress; PostgreSQL rolls them back. */
  async abort(): Promise<void> {
    const ended = this.#pool.end()
    for (const client of this.#lent) if (client instanceof pg.Client) client.end().catch(() => {})
    await ended
  }
}
