import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { manifestPath } from './backup-manifest.ts'

/** qs-20261125T031500Z.dump: names sort by time. */
const NAME = /^qs-\d{8}T\d{6}Z\.dump$/

export function backupName(now: Date): string {
  return `qs-${now.toISOString().replace(/\.\d+|[-:]/g, '')}.dump`
}

/** Removes all but the newest `keep` backups with names of qs; other files stay. */
export function removeOldBackups(directory: string, keep: number): readonly string[] {
  const old = readdirSync(directory)
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
    .slice(keep)
    .map((name) => join(directory, name))
  for (const file of old) {
    rmSync(file)
    rmSync(manifestPath(file), { force: true })
  }
  return old
}
