import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The roles of the embedded database, and the file in the data directory that holds the password of each. */
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

/** @returns null where there is no password file (or an empty one: a full disk) */
export function readPassword(dataDir: string, role: EmbeddedRole = 'qs'): string | null {
  const file = passwordFile(dataDir, role)
  try {
    return readFileSync(file, 'utf8').trim() || null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code !== 'EACCES') throw error
    throw new Error(`${file} is readable only for the user who started qs up: run this as that user`)
  }
}

/** `postgresql://<role>:<password>@127.0.0.1:<port>/qs` */
export function urlWithPassword(role: EmbeddedRole, password: string, port: number): string {
  return `postgresql://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`
}

/**
 * The embedded database of a data directory, running or not, as its owner or as the role of a service; null where its
 * password file is missing.
 */
export function embeddedDatabaseUrl(dataDir: string, port: number, role: EmbeddedRole = 'qs'): string | null {
  const password = readPassword(resolve(dataDir), role)
  return password === null ? null : urlWithPassword(role, password, port)
}

/**
 * The same for a service: the password is the one in the file at each connection. A file that goes missing meanwhile
 * leaves the last one.
 */
export function embeddedUrlReader(dataDir: string, port: number, role: EmbeddedRole): () => string {
  let latest: string | null = null
  return () => {
    latest = embeddedDatabaseUrl(dataDir, port, role) ?? latest
    if (latest === null)
      throw new Error(`${passwordFile(dataDir, role)} is missing: start qs up again, which makes a new one`)
    return latest
  }
}
