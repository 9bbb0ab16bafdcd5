import type { Config } from '../config/settings.ts'
import type { StorageOptions } from './storage-report.ts'

/** For a report at the command line and in the doctor. */
export function storageOptions({
  SEAL_AFTER: sealAfterMs,
  BACKUP_DIR: backupDirectory,
}: Config): StorageOptions {
  return {
    sealAfterDays: sealAfterMs === null ? null : sealAfterMs / 86_400_000,
    dataDirectory: null,
    backupDirectory,
    nowMs: Date.now(),
  }
}
