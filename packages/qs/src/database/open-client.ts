import pg from 'pg'

/** For modules that run queries but open no connections. */
export type DatabaseClient = pg.Client

/** The connection settings are wrong: retrying does not help, an operator is needed. */
export class ConnectionSettingsError extends Error {
  override readonly name = 'ConnectionSettingsError'
}

export interface ClientOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string
  readonly connectTimeoutMs: number
}

/** Error codes of Node for a certificate that it does not trust (Node.js manual, tls). */
const UNTRUSTED = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_SSL_|ERR_OSSL_)/

/**
 * Opens a connection for a command or a start; the error for a wrong setting names the setting.
 *
 * @throws ConnectionSettingsError, or the error of `pg`
 */
export async function openClient(url: string, { name, connectTimeoutMs }: ClientOptions): Promise<pg.Client> {
  try {
    const client = new pg.Client({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: connectTimeoutMs,
    })
    client.on('error', () => {})
    await client.connect()
    return client
  } catch (error) {
    throw explained(error as NodeJS.ErrnoException, url)
  }
}

function explained(error: NodeJS.ErrnoException, url: string): Error {
  const { code = '', message, path } = error
  // Invalid authorization, no such database (PostgreSQL manual, appendix A).
  if (/^(28|3D)[0-9A-Z]{3}$/.test(code))
    return new ConnectionSettingsError(
      `PostgreSQL at ${new URL(url).host} refuses the login (${code}): ${message}. Check user, password and database in ` +
        'DATABASE_URL, or in the file of DATABASE_URL_FILE.',
      { cause: error },
    )
  if (UNTRUSTED.test(code)) {
    const message_ = `The certificate of PostgreSQL at ${new URL(url).host} is not trusted: ${message}.`
    return new ConnectionSettingsError(
      `${message_} sslrootcert in DATABASE_URL must name the authority that signed it, and the host in ` +
        'DATABASE_URL must be one that it was issued for.',
      { cause: error },
    )
  }
  if (path !== undefined && error.syscall === 'open')
    return new ConnectionSettingsError(`DATABASE_URL names ${path}, which cannot be read: ${code}`, {
      cause: error,
    })
  if (message.includes('does not support SSL'))
    return new ConnectionSettingsError(
      `PostgreSQL at ${new URL(url).host} has TLS turned off, but DATABASE_URL requires it (sslmode).`,
      { cause: error },
    )
  return error
}

/**
 * Runs `work` on one connection, for a command at a terminal.
 *
 * @throws Error that says what to do if the database cannot be reached
 */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await openClient(url, { name: 'qs-cli', connectTimeoutMs: 5_000 }).catch((error) => {
    if (error instanceof ConnectionSettingsError) throw error
    const reason = (error as Error).message || String(error)
    throw new Error(
      `No connection to the database: ${reason}. Is it running? DATABASE_URL says where it is.`,
      { cause: error },
    )
  })
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
