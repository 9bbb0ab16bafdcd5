import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listBackups } from './backup-folder.ts'

/** What the folder of the scheduled backups says about them. */
export interface BackupState {
  /** When the newest backup began; null if there is none. */
  readonly newestMs: number | null
  /** Why the last one failed; null if it did not. */
  readonly failure: string | null
}

/** Read by `qs doctor`, which is another process. */
const FAILURE = 'failed.txt'

export function readBackupState(folder: string): BackupState {
  const newest = listBackups(folder)[0]
  return { newestMs: newest === undefined ? null : timeIn(basename(newest)), failure: readFailure(folder) }
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

/** qs-20261125T031500Z.json */
function timeIn(name: string): number {
  const [, date, hour, minute, second] = /^qs-(\d{8})T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? []
  const day = `${date?.slice(0, 4)}-${date?.slice(4, 6)}-${date?.slice(6)}`
  return Date.parse(`${day}T${hour}:${minute}:${second}Z`)
}
