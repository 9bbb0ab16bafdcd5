import type { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import type { QueryConfig, QueryResult } from 'pg'
import pg from 'pg'
import { CopyIn, type CopyStatement } from './copy-in.ts'
import { Patience } from './patience.ts'
import { endSessions, type ServerSession, sessionOf } from './server-session.ts'

export interface ConnectOptions {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly name: string
  /** How long the server may say nothing until the connection is set up. */
  readonly connectTimeoutMs: number
  /** A port of 127.0.0.1 to connect to instead; the name that a certificate is checked for stays that of the URL. */
  readonly detourPort?: number
}

class Detour extends Socket {
  readonly #port: number

  constructor(port: number) {
    super()
    this.#port = port
  }

  override connect(): this {
    return super.connect(this.#port, '127.0.0.1')
  }
}

/** A connection whose queries leave at once, without waiting for the answers to those before them. */
export interface PipelinedConnection {
  /** False once it has ended, for whatever reason. */
  readonly isOpen: boolean
  /** `events` has a trigger that can change or drop rows on their way in. */
  readonly maySkipRows: boolean
  query(query: QueryConfig): Promise<QueryResult>
  /** @returns how many rows were copied */
  copy(statement: CopyStatement): Promise<number>
  destroy(): void
}

/**
 * Where somebody has set synchronous_commit to off it is on again here: a device ack is a promise to the outside, and
 * a COMMIT that is not on disk yet cannot carry it (PostgreSQL manual, 20.5.1).
 *
 * The others let the server notice within seconds that this client is gone without a word. Its transaction would
 * hold the ids that it inserted, by the defaults of Linux for two hours, and the same batch on the next connection
 * would wait for it. The last one is for a proxy on the way that answers in the client's stead: the ingester itself
 * never lets a transaction wait, and one that it lost is tried again.
 */
const SESSION = `
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = '11s'; set idle_in_transaction_session_timeout = '10s'`

/** A statement that waits for a lock looks after its client. Not every operating system can. */
const SESSION_WHERE_POSSIBLE = "set client_connection_check_interval = '2s'"

/** tgtype: 1 for each row, 2 before, 4 insert (pg_trigger.h). Without the table there are no rows. */
const MAY_SKIP_ROWS = `
  select exists (
    select from pg_trigger
    where tgrelid = to_regclass('events') and tgtype & 7 = 7 and tgenabled <> 'D'
  ) as answer`

/**
 * Opens a connection and sets it up. A server that says nothing for `connectTimeoutMs` is given up, or a connection to a
 * black hole would hang for ever; one that is slow and answers gets its time: with 3 s for the
 * whole, two cores under a load of 12 had no connection for 20 s.
 *
 * @param ended sessions of connections that are no more; this one is there when it ends, and those that were there are
 *   ended at the server too, where they may go on with a transaction that the caller is about to try again
 * @throws the error of `pg`, with SQLSTATE where PostgreSQL answered
 */
export async function connect(
  { url, name, connectTimeoutMs, detourPort }: ConnectOptions,
  ended: Set<ServerSession> = new Set(),
): Promise<PipelinedConnection> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: true,
    ...(detourPort !== undefined && { stream: () => new Detour(detourPort) }),
  })
  let isOpen = true
  let session: ServerSession | null = null
  let maySkipRows = false
  // A connection that breaks while idle is replaced when it is needed.
  client.on('error', () => {})
  client.once('end', () => {
    isOpen = false
    if (session !== null) ended.add(session)
  })
  const destroy = () => streamOf(client).destroy()
  const patience = new Patience(connectTimeoutMs, destroy)
  const stopListening = onMessage(client, () => patience.renew())
  try {
    await client.connect()
    await client.query(SESSION)
    await client.query(SESSION_WHERE_POSSIBLE).catch(() => {})
    const { rows } = await client.query<{ answer: boolean }>(MAY_SKIP_ROWS)
    maySkipRows = rows[0]?.answer === true
    const old = [...ended]
    // Refused, their own time-outs end them.
    await endSessions(client, old).catch(() => {})
    for (const each of old) ended.delete(each)
    session = await sessionOf(client)
  } catch (error) {
    destroy()
    throw patience.isOver ? new Error(`PostgreSQL said nothing for ${connectTimeoutMs} ms`) : error
  } finally {
    stopListening()
    patience.end()
  }
  return {
    get isOpen() {
      return isOpen
    },
    maySkipRows,
    query: (query) => client.query(query),
    copy: (statement) =>
      new Promise((resolve, reject) => {
        client.query(new CopyIn(statement, (error, rows) => (error === null ? resolve(rows) : reject(error))))
      }),
    destroy,
  }
}

/** Calls back at each message of the server (pg 8.23, as `streamOf`). @returns ends that */
function onMessage(client: pg.Client, callback: () => void): () => void {
  const { connection } = client as unknown as { readonly connection: EventEmitter }
  connection.on('message', callback)
  return () => connection.off('message', callback)
}

/** `client.end()` says good-bye and waits, for ever where the peer is gone; only the socket can be cut (pg 8.23). */
export function streamOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection
    .stream
}
