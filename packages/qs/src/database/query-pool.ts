import pg from 'pg'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { clientOf } from './client-of.ts'
import { surviveBrokenConnections } from './pool.ts'

/** Questions to the database, each bounded in time. */
export interface Ask {
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

export interface QueryPoolOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly connections: number
  /** PostgreSQL ends a statement that takes longer. */
  readonly timeoutMs: number
}

/** How much longer than the server we wait for it to end a statement, before the connection is taken for dead. */
const GRACE_MS = 2_000
const CONNECT_TIMEOUT_MS = 5_000

/** A few connections of its own for people's questions, so that these never wait for events, nor events for them. */
export class QueryPool implements Ask {
  readonly #pool: pg.Pool
  readonly #lent = new Set<pg.PoolClient>()

  constructor(url: DatabaseUrl, { name, connections, timeoutMs }: QueryPoolOptions) {
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
  }

  query<Row>(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.use(async (client) => (await client.query(text, [...values])).rows as Row[])
  }

  /** A connection that failed is destroyed: after a time-out its answer is still to come. */
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

  /** Waits for what is under way. */
  async end(): Promise<void> {
    await this.#pool.end()
  }

  /** Cuts off what is under way; PostgreSQL rolls it back. */
  async abort(): Promise<void> {
    const ended = this.#pool.end()
    for (const client of this.#lent) if (client instanceof pg.Client) client.end().catch(() => {})
    await ended
  }
}
