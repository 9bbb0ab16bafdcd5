import type { QueryConfig, QueryResult } from 'pg'
import pg from 'pg'

export interface ConnectOptions {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly connectTimeoutMs: number
}

/** A connection whose queries leave at once, without waiting for the answers to those before them. */
export interface PipelinedConnection {
  query(query: QueryConfig): Promise<QueryResult>
  destroy(): void
  end(): Promise<void>
}

/**
 * Opens a connection, within a bound: to a black hole it would otherwise hang for ever.
 *
 * Where somebody has set synchronous_commit to off it is on again here: a device ack is a promise to the outside,
 * and a COMMIT that is not on disk yet cannot carry it (PostgreSQL manual, 20.5.1).
 *
 * @throws the error of `pg`, with SQLSTATE where PostgreSQL answered
 */
export async function connect({ url, name, connectTimeoutMs }: ConnectOptions): Promise<PipelinedConnection> {
  const config: pg.ClientConfig & { readonly pipeline: true } = {
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: true,
  }
  const client = new pg.Client(config)
  // A connection that breaks while idle is found out by the next query.
  client.on('error', () => {})
  const destroy = () => streamOf(client).destroy()
  try {
    await client.connect()
    await client.query(
      `select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'`,
    )
  } catch (error) {
    destroy()
    throw error
  }
  return { query: (query) => client.query(query), destroy, end: () => client.end() }
}

/** `client.end()` says good-bye and waits, for ever where the peer is gone; only the socket can be cut. */
function streamOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection
    .stream
}
