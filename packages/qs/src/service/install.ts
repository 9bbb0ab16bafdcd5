import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve, sep } from 'node:path'
import type { Config } from '../config/settings.ts'
import { type Account, runAs, serverEnvironment } from '../embedded/postgres/postgres-account.ts'
import { QsError } from '../errors/qs-error.ts'
import { checkPorts } from './check-ports.ts'
import { type Program, thisProgram } from './program.ts'
import { readiness } from './readiness.ts'
import { checkOwner, checkProgram, serviceAccount } from './service-account.ts'
import type { InstallOptions, ServicePlan } from './service-plan.ts'
import { ensureSettings, serviceConfig, settingsFile } from './settings-file.ts'
import type { Systemd } from './systemd.ts'
import { unitText } from './unit-text.ts'

export interface Installation extends InstallOptions {
  /** Whether an existing service is saved before it is replaced. */
  readonly backup: boolean
  /** Settings for a new service: the file is copied if it exists. */
  readonly template: string
  readonly systemd: Systemd
  readonly readyTimeoutMs: number
  readonly report: (line: string) => void
}

/** Nothing is changed and no account is needed. */
export function planService(options: InstallOptions): ServicePlan {
  const folder = resolve(options.folder)
  const others = existsSync(settingsFile(folder)) ? foldersOf(serviceConfig(folder)) : []
  return {
    ...options,
    folder,
    program: thisProgram(),
    otherFolders: others.filter((path) => !`${path}${sep}`.startsWith(`${folder}${sep}`)),
  }
}

function foldersOf({ QS_DATA_DIR: data, BACKUP_DIR: backups }: Config): readonly string[] {
  return [data, backups]
}

/**
 * Installs the service and starts it, or, if it is installed, saves its data and restarts it with this program: the
 * upgrade. Whatever would keep it from starting is found before anything of a running service changes.
 *
 * @throws QsError
 */
export async function installService(options: Installation): Promise<ServicePlan> {
  const { user, systemd, report } = options
  const folder = resolve(options.folder)
  const installed = systemd.installed()
  if (installed !== null && installed.folder !== folder)
    throw new QsError(
      'WRONG_USAGE',
      `The service is installed in ${installed.folder}. Keep it there (--folder ${installed.folder}), or run qs service uninstall first`,
    )
  const account = serviceAccount(user, folder)
  const isNew = ensureSettings(folder, options.template, account)
  if (isNew) report(`settings   ${settingsFile(folder)}, new, readable only by ${user}`)
  const plan = planService(options)
  const config = serviceConfig(folder)
  checkProgram(plan.program, account)
  checkOwner(folder, config.QS_DATA_DIR, account)
  if (!isRunning(systemd)) await checkPorts(config)
  if (installed !== null && options.backup) saveData(plan, config, { account, report })
  systemd.start(unitText(plan))
  report(`unit       ${systemd.unitFile}, runs as ${user}, starts with the machine`)
  await untilReady(config, options)
  return plan
}

function isRunning(systemd: Systemd): boolean {
  return systemd.installed() !== null && systemd.state().ActiveState === 'active'
}

interface Saving {
  readonly account: Account
  readonly report: (line: string) => void
}

/** With `qs backup` as the account of the service, which owns the data and the backups. */
function saveData({ program, folder }: ServicePlan, config: Config, { account, report }: Saving): void {
  const hasData = config.DATABASE_URL !== null || existsSync(join(config.QS_DATA_DIR, 'postgres'))
  if (!hasData) return
  const { status, stdout, stderr } = run(program, ['backup', '--out', config.BACKUP_DIR, '--json'], {
    ...runAs(account),
    cwd: folder,
    env: {
      ...serverEnvironment,
      ...(config.BACKUP_DATABASE_URL !== null && { DATABASE_URL: config.BACKUP_DATABASE_URL }),
    },
  })
  if (status === 0) return report(`backup     ${(JSON.parse(stdout) as { file: string }).file}`)
  throw new QsError(
    'BACKUP_FAILED',
    `The backup before the upgrade failed, and the service runs on unchanged: ${stderr.trim()}\n` +
      '  --no-backup upgrades without one.\n',
  )
}

function run([node, ...args]: Program, command: readonly string[], options: object) {
  return spawnSync(node, [...args, ...command], { ...options, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

async function untilReady(config: Config, { readyTimeoutMs }: Installation): Promise<void> {
  const endMs = performance.now() + readyTimeoutMs
  let last = await readiness(config)
  while (!last.ok && performance.now() < endMs) {
    await new Promise((next) => setTimeout(next, 500))
    last = await readiness(config)
  }
  if (!last.ok)
    throw new QsError('SERVICE_NOT_READY', `Not ready after ${readyTimeoutMs / 1000} s: ${last.detail}`)
}
