import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
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
  const { newestMs, failure } = readBackupState(folder)
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
  return isLate
    ? problem(NAME, `too old; in ${folder}: ${newest}`, advice)
    : ok(NAME, `in ${folder}: ${newest}`)
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  )
}
