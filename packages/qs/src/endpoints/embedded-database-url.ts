import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { QsError } from '../errors/qs-error.ts'

/** The roles of the embedded database, and their password files in the data directory. */
const FILES = {
  qs: 'postgres-password',
  qs_ingester: 'postgres-password-ingester',
  qs_console: 'postgres-password-console',
} as const

const DATABASE = 'qs'

export type EmbeddedRole = keyof typeof FILES

export function passwordFile(dataDir: string, role: EmbeddedRole = 'qs'): string {
  return join(dataDir, FILES[role])
}

/** @returns null if the password file is missing (or empty, after a full disk) */
export function readPassword(dataDir: string, role: EmbeddedRole = 'qs'): string | null {
  const file = passwordFile(dataDir, role)
  try {
    return readFileSync(file, 'utf8').trim() || null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code !== 'EACCES') throw error
    throw new QsError('POSTGRES_PASSWORD_FILE', `${file} is readable only by the user who started qs up`)
  }
}

/** `postgresql://<role>:<password>@127.0.0.1:<port>/qs` */
export function urlWithPassword(role: EmbeddedRole, password: string, port: number): string {
  return `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`
}

/**
 * The URL of the embedded database of a data directory, running or not, for its owner or the role of a service; null if
 * the password file is missing.
 */
export function embeddedDatabaseUrl(dataDir: string, port: number, role: EmbeddedRole = 'qs'): string | null {
  const password = readPassword(resolve(dataDir), role)
  return password === null ? null : urlWithPassword(role, password, port)
}

/**
 * The same for a service: the password is read from the file for each connection. If the file has disappeared, the last
 * password is used.
 */
export function embeddedUrlReader(dataDir: string, port: number, role: EmbeddedRole): () => string {
  let latest: string | null = null
  return () => {
    latest = embeddedDatabaseUrl(dataDir, port, role) ?? latest
    if (latest === null)
      throw new QsError('POSTGRES_PASSWORD_FILE', `${passwordFile(dataDir, role)} is missing`)
    return latest
  }
}
