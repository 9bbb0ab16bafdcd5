import type { Config } from '../config/settings.ts'
import type { StorageOptions } from './storage-report.ts'

/** For a report at the command line and in the doctor. */
export function storageOptions(_config: Config): StorageOptions {
  return {
    sealAfterDays: null,
    dataDirectory: null,
    backupDirectory: 'backups',
    nowMs: Date.now(),
  }
}
