import type { EventEmitter } from 'node:events'
import { Socket } from 'node:net'
import type { QueryConfig, QueryResult } from 'pg'
import pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { CopyIn, type CopyStatement } from './copy-in.ts'
import { Patience } from './patience.ts'
import { endSessions, type ServerSession, sessionOf } from './server-session.ts'

export interface ConnectOptions {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly name: string
  /** How long the server may be silent while the connection is set up. */
  readonly connectTimeoutMs: number
  /** A port of 127.0.0.1 to connect to instead; certificates are still checked for the host of the URL. */
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

/** A connection that sends each query at once, without waiting for the results of earlier ones. */
export interface PipelinedConnection {
  /** False once the connection has ended, for any reason. */
  readonly isOpen: boolean
  /** `events` has a trigger that can change or drop rows on their way in. */
  readonly maySkipRows: boolean
  query(query: QueryConfig): Promise<QueryResult>
  /** @returns the number of rows copied */
  copy(statement: CopyStatement): Promise<number>
  destroy(): void
}

/**
 * If synchronous_commit is off, it is turned on here: a device ack is a promise to the outside, and a COMMIT that is
 * not yet on disk cannot back it (PostgreSQL manual, 20.5.1).
 *
 * The other settings let the server notice within seconds that this client has vanished. Its transaction would lock the
 * ids that it inserted, for two hours by the defaults of Linux, and the same batch on the next connection would wait.
 * The last one is for a proxy in between that answers for the client: the ingester itself never leaves a transaction
 * idle, and retries one that it lost.
 */
const SESSION = `
  select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off';
  set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = '11s'; set idle_in_transaction_session_timeout = '10s'`

/** Checks for a vanished client also while a statement waits for a lock. Not every operating system supports it. */
const SESSION_WHERE_POSSIBLE = "set client_connection_check_interval = '2s'"

/** tgtype: 1 for each row, 2 before, 4 insert (pg_trigger.h). If the table is missing, the answer is false. */
const MAY_SKIP_ROWS = `
  select exists (
    select from pg_trigger
    where tgrelid = to_regclass('events') and tgtype & 7 = 7 and tgenabled <> 'D'
  ) as answer`

/**
 * Opens a connection and sets it up. A server that is silent for `connectTimeoutMs` is given up, since a connection to
 * a black hole would hang forever. The limit is on silence, not on the whole set-up, for the sake of slow servers:
 * with 3 s for everything, two cores under a load of 12 got no connection for 20 s.
 *
 * @param ended sessions of ended connections. Those in the set are terminated on the server, which may still be running
 *   a transaction that the caller is about to retry; this connection adds its own session when it ends
 * @throws the error of `pg`, with SQLSTATE if PostgreSQL answered
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
  // A connection that breaks while idle is replaced on demand.
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
    // If this fails, their own time-outs end them.
    await endSessions(client, old).catch(() => {})
    for (const each of old) ended.delete(each)
    session = await sessionOf(client)
  } catch (error) {
    destroy()
    throw patience.isOver
      ? new QsError('DATABASE_UNREACHABLE', `PostgreSQL sent nothing for ${connectTimeoutMs} ms`)
      : error
  } finally {
    stopListening()
    patience.end()
  }
  const inOneWrite = oneWriteATurn(streamOf(client))
  return {
    get isOpen() {
      return isOpen
    },
    maySkipRows,
    query: (query) => {
      inOneWrite()
      return client.query(query)
    },
    copy: (statement) =>
      new Promise((resolve, reject) => {
        inOneWrite()
        client.query(new CopyIn(statement, (error, rows) => (error === null ? resolve(rows) : reject(error))))
      }),
    destroy,
  }
}

/**
 * The statements of a batch are sent together, and `pg` writes each of them, and each part of a COPY, by itself: eight
 * calls of the system for a lone event, each of which may wake the server. Call the result before a statement; all that
 * is sent in the same turn of the event loop then leaves in one write.
 */
function oneWriteATurn(stream: ClientStream): () => void {
  let isCorked = false
  return () => {
    if (isCorked) return
    isCorked = true
    stream.cork()
    process.nextTick(() => {
      isCorked = false
      stream.uncork()
    })
  }
}

/** Calls back on each message from the server (pg 8.23, as in `streamOf`). @returns removes the listener */
function onMessage(client: pg.Client, callback: () => void): () => void {
  const { connection } = client as unknown as { readonly connection: EventEmitter }
  connection.on('message', callback)
  return () => connection.off('message', callback)
}

type ClientStream = Pick<Socket, 'destroy' | 'cork' | 'uncork'>

/** `client.end()` waits for the peer, forever if it has vanished; only the socket can be destroyed (pg 8.23). */
export function streamOf(client: pg.Client): ClientStream {
  return (client as unknown as { readonly connection: { readonly stream: ClientStream } }).connection.stream
}
