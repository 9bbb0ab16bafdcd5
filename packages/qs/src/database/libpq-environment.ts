/** Parameters of a connection string that libpq takes from a variable of this name. */
const VARIABLES: Readonly<Record<string, string>> = {
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslnegotiation: 'PGSSLNEGOTIATION',
  host: 'PGHOST',
  port: 'PGPORT',
}

/**
 * What pg_dump and its like need to reach the database of `DATABASE_URL`: in the environment, since a command line
 * could be read by everybody on the machine. Trust in a certificate is that of `pg`, not that of libpq: `require` and
 * its like verify here too.
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
  // Node trusts the public authorities where none is named; libpq has to be told to.
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
