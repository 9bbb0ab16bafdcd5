import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from './create-cluster.ts'

/** The roles of the embedded database, and the file in the data directory that holds the password of each. */
const FILES = {
  qs: 'postgres-password',
  qs_ingester: 'postgres-password-ingester',
  qs_console: 'postgres-password-console',
} as const

export type EmbeddedRole = keyof typeof FILES

export function passwordFile(dataDir: string, role: EmbeddedRole = 'qs'): string {
  return join(dataDir, FILES[role])
}

/** 192 bits, in characters that need no escaping in a URL or in SQL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** Readable for the user who starts qs, not for the account that PostgreSQL runs as. */
export function keepPassword(dataDir: string, password: string, role: EmbeddedRole = 'qs'): void {
  writeFileSync(passwordFile(dataDir, role), `${password}\n`, { mode: 0o600, flush: true })
  syncDirectory(dataDir)
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
