import pg from 'pg'
import type { ErrorCode } from '../errors/errors.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { queryFailure } from './query-failure.ts'

/** For modules that run queries but open no connections. */
export type DatabaseClient = pg.Client

export interface ClientOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly connectTimeoutMs: number
  /** Default: none. */
  readonly queryTimeoutMs?: number
  /** How long a statement may wait for a lock; default: as the server is configured. */
  readonly lockTimeoutMs?: number
}

/** Error codes of Node for a certificate that it does not trust (Node.js manual, tls). */
const UNTRUSTED = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_SSL_|ERR_OSSL_)/

/** Opens a connection for a command or a start. @throws QsError that names the setting which is wrong */
export async function openClient(url: string, options: ClientOptions): Promise<pg.Client> {
  const { name, connectTimeoutMs, queryTimeoutMs, lockTimeoutMs } = options
  try {
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: connectTimeoutMs,
      // A host that has vanished ends a query that it will not answer.
      keepAlive: true,
      keepAliveInitialDelayMillis: 5_000,
      ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }),
    })
    client.on('error', () => {})
    await client.connect()
    if (lockTimeoutMs !== undefined) await client.query(`set lock_timeout = ${lockTimeoutMs}`)
    return client
  } catch (error) {
    const failure = queryFailure(error)
    throw failure instanceof QsError && failure.code === 'DATABASE_NO_ANSWER'
      ? failure
      : explained(error as NodeJS.ErrnoException, url)
  }
}

function explained(cause: NodeJS.ErrnoException, url: string): QsError {
  const { code = '', message, path } = cause
  const failure = (which: ErrorCode, problem: string) => new QsError(which, problem, { cause })
  if (path !== undefined && cause.syscall === 'open')
    return failure('DATABASE_CERTIFICATE', `DATABASE_URL names ${path}, which cannot be read: ${code}`)
  const { host } = new URL(url)
  // Invalid authorization, no such database (PostgreSQL manual, appendix A).
  if (/^(28|3D)[0-9A-Z]{3}$/.test(code))
    return failure('DATABASE_LOGIN_REFUSED', `PostgreSQL at ${host} refuses the login (${code}): ${message}`)
  if (UNTRUSTED.test(code))
    return failure(
      'DATABASE_CERTIFICATE',
      `The certificate of PostgreSQL at ${host} is not trusted: ${message}`,
    )
  if (message.includes('does not support SSL'))
    return failure('DATABASE_WITHOUT_TLS', `PostgreSQL at ${host} has TLS turned off`)
  return failure('DATABASE_UNREACHABLE', `No connection to PostgreSQL at ${host}: ${reasonOf(cause)}`)
}

/** A command ends with an error instead of hanging. The longest queries are those over many dead letters. */
const COMMAND = { name: 'qs-cli', connectTimeoutMs: 5_000, queryTimeoutMs: 5 * 60_000, lockTimeoutMs: 10_000 }

/** Runs `work` on one connection, for a command at a terminal. @throws QsError as openClient */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openClient(url, COMMAND)
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
