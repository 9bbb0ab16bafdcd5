import type { Alarm } from './alarm.ts'

export interface BackupHealth {
  /** Why the last backup failed; null if it did not. */
  readonly failure: string | null
  /** Since when a backup has been due; null: none is, or another process makes them. */
  readonly dueSinceMs: number | null
  /** Backups with a time to come. */
  readonly ahead: readonly string[]
}

/** How long a backup may take, or the process may be too busy for it. */
const PATIENCE_MS = 6 * 3_600_000

/** Scheduled backups fail, or do not come. @param read null: none are scheduled */
export function backupAlarm(read: () => BackupHealth | null, now = Date.now): Alarm {
  return {
    name: 'backup',
    check: () => {
      const { failure = null, dueSinceMs = null, ahead = [] } = read() ?? {}
      if (failure !== null)
        return `the last backup failed: ${failure} Events are stored as before; the next try is in ten minutes`
      if (dueSinceMs === null || now() - dueSinceMs < PATIENCE_MS) return aheadText(ahead)
      return `a backup has been due since ${new Date(dueSinceMs).toISOString()} and is not finished. See the log, and check BACKUP_DIR and its disk`
    },
  }
}

/** What to do about backups with a time to come; null if there are none. */
export function aheadText(ahead: readonly string[]): string | null {
  if (ahead.length === 0) return null
  return `the clock was ahead when ${ahead.join(', ')} was made, or is behind now. BACKUP_KEEP neither counts nor removes such backups: check the clock, then remove them once a newer backup is complete`
}
