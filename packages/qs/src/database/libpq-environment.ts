/** Connection-string parameters with their libpq environment variables. */
const VARIABLES: Readonly<Record<string, string>> = {
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslnegotiation: 'PGSSLNEGOTIATION',
  host: 'PGHOST',
  port: 'PGPORT',
}

/**
 * The environment with which pg_dump and similar tools reach the database of `DATABASE_URL`; a command line could be
 * read by every user of the machine. Certificates are verified as `pg` does it, not libpq: also with `require` and
 * similar modes.
 */
export function libpqEnvironment(databaseUrl: string): Readonly<Record<string, string>> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(databaseUrl)
  const environment: Record<string, string> = {
    PGHOST: decodeURIComponent(hostname).replace(/^\[(.+)\]$/, '$1'),
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGCONNECT_TIMEOUT: '10',
  }
  for (const [name, value] of searchParams) {
    const variable = VARIABLES[name]
    if (variable !== undefined) environment[variable] = value
  }
  const sslMode = libpqSslMode(searchParams)
  if (sslMode !== null) environment.PGSSLMODE = sslMode
  // Without a named authority Node trusts the public ones; libpq needs `system` for that.
  if (sslMode === 'verify-full') environment.PGSSLROOTCERT ??= 'system'
  return environment
}

function libpqSslMode(parameters: URLSearchParams): string | null {
  const mode = parameters.get('sslmode')
  if (mode === 'no-verify') return 'require'
  if (mode === null)
    return parameters.has('sslrootcert') || parameters.get('ssl') === 'true' ? 'verify-full' : null
  return mode === 'disable' || parameters.get('uselibpqcompat') === 'true' ? mode : 'verify-full'
}
