import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type BackupState, readBackupState } from '../backup/backup-state.ts'
import type { Config } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'
import { type Readiness, readiness } from './readiness.ts'
import { serviceConfig, settingsFile } from './settings-file.ts'
import type { Systemd } from './systemd.ts'

export interface ServiceStatus {
  readonly version: string
  readonly folder: string
  /** As systemd says: active (running), failed (failed), activating (auto-restart). */
  readonly state: string
  readonly since: Date | null
  /** Whether the program was built or replaced after the service started: it runs the former one. */
  readonly isOutdated: boolean
  readonly startsAtBoot: boolean
  readonly restarts: number
  readonly memoryBytes: number | null
  /** The rest is null if the caller may not read the settings. */
  readonly readiness: Readiness | null
  readonly backup: (BackupState & { readonly everyMs: number | null; readonly folder: string }) | null
}

/** @throws QsError if it is not installed */
export async function serviceStatus(systemd: Systemd): Promise<ServiceStatus> {
  const installed = systemd.installed()
  if (installed === null) throw new QsError('NO_SERVICE', `There is no ${systemd.unitFile}`)
  const { folder } = installed
  const root = join(dirname(installed.script), '..')
  const unit = systemd.state()
  const since = unit.ActiveEnterTimestamp === '' ? null : new Date(unit.ActiveEnterTimestamp)
  const memory = Number(unit.MemoryCurrent)
  const config = readableConfig(folder)
  return {
    ...{ version: versionIn(root), folder, since },
    state: `${unit.ActiveState} (${unit.SubState})`,
    isOutdated: since !== null && unit.ActiveState === 'active' && builtMs(root) > since.getTime(),
    startsAtBoot: unit.UnitFileState === 'enabled',
    restarts: Number(unit.NRestarts),
    memoryBytes: Number.isSafeInteger(memory) && memory > 0 ? memory : null,
    readiness: config && (await readiness(config)),
    backup: config && {
      ...readBackupState(config.BACKUP_DIR),
      ...{ everyMs: config.BACKUP_EVERY, folder: config.BACKUP_DIR },
    },
  }
}

function versionIn(root: string): string {
  const file = join(root, 'package.json')
  const text = statSync(file, { throwIfNoEntry: false }) ? readFileSync(file, 'utf8') : '{}'
  return (JSON.parse(text) as { readonly version?: string }).version ?? `unknown: ${root} is gone`
}

/** When the program came to where it is: unpacked by npm, or built. */
function builtMs(root: string): number {
  const files = ['cli/main.js', '.tsbuildinfo'].map((name) => join(root, 'dist', name))
  return Math.max(...files.map((file) => statSync(file, { throwIfNoEntry: false })?.ctimeMs ?? 0))
}

/** null: the settings are not readable by the caller. */
function readableConfig(folder: string): Config | null {
  try {
    statSync(settingsFile(folder))
    return serviceConfig(folder)
  } catch (error) {
    if (process.getuid?.() === 0) throw error
    return null
  }
}
