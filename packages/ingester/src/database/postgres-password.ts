import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from './create-cluster.ts'

export function passwordFile(dataDir: string): string {
  return join(dataDir, 'postgres-password')
}

/** 192 bits, in characters that need no escaping in a URL or in SQL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** Readable for the user who starts qs, not for the account that PostgreSQL runs as. */
export function keepPassword(dataDir: string, password: string): void {
  writeFileSync(passwordFile(dataDir), `${password}\n`, { mode: 0o600, flush: true })
  syncDirectory(dataDir)
}

/** @returns null where there is no password file (or an empty one: a full disk) */
export function readPassword(dataDir: string): string | null {
  try {
    return readFileSync(passwordFile(dataDir), 'utf8').trim() || null
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    if (code !== 'EACCES') throw error
    throw new Error(
      `${passwordFile(dataDir)} is readable only for the user who started qs up: run this as that user`,
    )
  }
}
