import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { aheadText } from '../alarms/backup-alarm.ts'
import { readBackupState } from '../backup/backup-state.ts'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

const NAME = 'backups'
const DAY_MS = 86_400_000

/** Whether the scheduled backups come. Each is due when the last one is BACKUP_EVERY old. */
export async function checkBackups(
  { BACKUP_EVERY: everyMs, BACKUP_DIR: folder }: Config,
  nowMs = Date.now(),
): Promise<Finding> {
  const { newestMs, failure, ahead } = readBackupState(folder, nowMs)
  const newest = newestMs === null ? 'none' : `the newest is of ${new Date(newestMs).toISOString()}`
  if (everyMs === null)
    return ok(NAME, `none are scheduled; in ${folder}: ${newest}. BACKUP_EVERY=24h schedules them`)
  const advice = `The log of the ingester says why; check that it runs and may write to BACKUP_DIR`
  if (failure !== null)
    return problem(NAME, `the last one failed: ${failure} In ${folder}: ${newest}`, advice)
  if (!(await isWritable(folder)))
    return warning(
      NAME,
      `${folder} is missing or not writable here`,
      `Run qs doctor where the ingester runs, or create it`,
    )
  const isLate = newestMs === null || nowMs - newestMs > everyMs + DAY_MS
  if (isLate) return problem(NAME, `too old; in ${folder}: ${newest}`, advice)
  const times = aheadText(ahead)
  return times === null
    ? ok(NAME, `in ${folder}: ${newest}`)
    : warning(
        NAME,
        `in ${folder}: ${newest}; ${times}`,
        'Compare the time of this machine with another clock',
      )
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
}
