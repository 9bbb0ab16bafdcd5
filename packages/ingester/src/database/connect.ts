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
  /** False once it has ended, for whatever reason. */
  readonly isOpen: boolean
  query(query: QueryConfig): Promise<QueryResult>
  destroy(): void
}

/**
 * Where somebody has set synchronous_commit to off it is on again here: a device ack is a promise to the outside, and
 * a COMMIT that is not on disk yet cannot carry it (PostgreSQL manual, 20.5.1).
 *
 * The others let the server notice within seconds that this client is gone without a word. Its transaction would
 * hold the ids that it inserted, by the defaults of Linux for two hours, and the same batch on the next connection
 * would wait for it.
 */
const SESSION = `
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = '11s'; set idle_in_transaction_session_timeout = '60s'`

/** A statement that waits for a lock looks after its client. Not every operating system can. */
const SESSION_WHERE_POSSIBLE = "set client_connection_check_interval = '2s'"

/**
 * Opens a connection, set-up included within the bound: to a black hole it would otherwise hang for ever.
 *
 * @throws the error of `pg`, with SQLSTATE where PostgreSQL answered
 */
export async function connect({ url, name, connectTimeoutMs }: ConnectOptions): Promise<PipelinedConnection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: true,
  })
  let isOpen = true
  // A connection that breaks while idle is replaced when it is needed.
  client.on('error', () => {})
  client.once('end', () => {
    isOpen = false
  })
  const destroy = () => streamOf(client).destroy()
  const timer = setTimeout(destroy, connectTimeoutMs)
  try {
    await client.connect()
    await client.query(SESSION)
    await client.query(SESSION_WHERE_POSSIBLE).catch(() => {})
  } catch (error) {
    destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return {
    get isOpen() {
      return isOpen
    },
    query: (query) => client.query(query),
    destroy,
  }
}

/** `client.end()` says good-bye and waits, for ever where the peer is gone; only the socket can be cut (pg 8.23). */
export function streamOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection
    .stream
}
