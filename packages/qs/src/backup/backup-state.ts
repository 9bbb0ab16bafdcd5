import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { listBackups, timeOf } from './backup-folder.ts'
import { datedAhead } from './remove-backups.ts'

/** What the folder of the scheduled backups says about them. */
export interface BackupState {
  /** When the newest backup began, of those that have no time to come; null if there is none. */
  readonly newestMs: number | null
  /** Backups with a time to come: the clock was ahead. */
  readonly ahead: readonly string[]
  /** Why the last one failed; null if it did not. */
  readonly failure: string | null
}

/** Read by `qs doctor`, which is another process. */
const FAILURE = 'failed.txt'

export function readBackupState(folder: string, nowMs = Date.now()): BackupState {
  const ahead = datedAhead(folder, nowMs)
  const newest = listBackups(folder).find((path) => !ahead.includes(path))
  return { newestMs: newest === undefined ? null : timeOf(newest), ahead, failure: readFailure(folder) }
}

/** @param reason null: the last backup did not fail */
export function noteFailure(folder: string, reason: string | null): void {
  const path = join(folder, FAILURE)
  try {
    if (reason === null) rmSync(path, { force: true })
    else writeFileSync(path, `${reason}\n`)
  } catch {
    // A folder that cannot be written is what failed; the alarm says so.
  }
}

function readFailure(folder: string): string | null {
  try {
    return readFileSync(join(folder, FAILURE), 'utf8').trim()
  } catch {
    return null
  }
}
