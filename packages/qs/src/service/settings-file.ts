import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadConfigFile } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import type { Account } from '../embedded/postgres/postgres-account.ts'

const NEW = `# Settings of the service; docs/reference/settings.md lists all. Then: systemctl restart qs
BACKUP_EVERY=24h
#BACKUP_DIR=./backups
`

/** Of the service in this folder, whose paths are relative to it. */
export function serviceConfig(folder: string): Config {
  const config = loadConfigFile(settingsFile(folder))
  const { QS_DATA_DIR: data, BACKUP_DIR: backups } = config
  return { ...config, QS_DATA_DIR: resolve(folder, data), BACKUP_DIR: resolve(folder, backups) }
}

export function settingsFile(folder: string): string {
  return join(folder, '.env')
}

/**
 * Creates the folder and the file of settings, if missing: a copy of `template`, or one that schedules backups. Only the
 * account may read the file, which may hold passwords.
 *
 * @returns whether it was created
 */
export function ensureSettings(folder: string, template: string, account: Account): boolean {
  if (mkdirSync(folder, { recursive: true, mode: 0o755 }) !== undefined) {
    chmodSync(folder, 0o750)
    chownSync(folder, account.uid, account.gid)
  }
  const file = settingsFile(folder)
  const isNew = !existsSync(file)
  if (isNew) writeFileSync(file, existsSync(template) ? readFileSync(template) : NEW, { mode: 0o600 })
  chmodSync(file, 0o600)
  chownSync(file, account.uid, account.gid)
  return isNew
}
