import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { type EmbeddedRole, passwordFile } from '../../endpoints/embedded-database-url.ts'
import { syncDirectory } from './create-cluster.ts'

/** 192 bits, in characters that need no escaping in a URL or in SQL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** Stores a password, readable only by the user who starts qs, not by the account of PostgreSQL. */
export function keepPassword(dataDir: string, password: string, role: EmbeddedRole = 'qs'): void {
  writeFileSync(passwordFile(dataDir, role), `${password}\n`, { mode: 0o600, flush: true })
  syncDirectory(dataDir)
}
