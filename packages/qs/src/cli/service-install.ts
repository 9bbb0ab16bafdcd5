import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import pc from 'picocolors'
import { QsError } from '../errors/qs-error.ts'
import { cronText } from '../service/cron-text.ts'
import { installService, planService } from '../service/install.ts'
import { launchdText } from '../service/launchd-text.ts'
import type { InstallOptions, ServicePlan } from '../service/service-plan.ts'
import { Systemd } from '../service/systemd.ts'
import { unitText } from '../service/unit-text.ts'

const FORMS = { systemd: unitText, launchd: launchdText, cron: cronText } as const

const READY_TIMEOUT_MS = 120_000

const DEFAULTS: InstallOptions = {
  ...{ user: 'qs-telemetry', folder: '/var/lib/qs', memoryMax: '75%' },
  upOptions: [],
}

interface Options {
  readonly user?: string
  readonly folder?: string
  readonly lan?: true
  readonly tlsOnly?: true
  readonly memoryMax?: string
  readonly backup: boolean
  readonly dryRun?: true
  readonly print?: keyof typeof FORMS
}

export function registerServiceInstall(service: Command): void {
  service
    .command('install')
    .description('install and start the service, or upgrade it to this version')
    .option(
      '--user <name>',
      `the account that it runs as; a missing one is created (default: "${DEFAULTS.user}")`,
    )
    .option(
      '--folder <path>',
      `where its settings (.env), data and backups are (default: "${DEFAULTS.folder}")`,
    )
    .option('--lan', 'listen on all addresses, for real boards, as qs up --lan')
    .option('--tls-only', 'with --lan: only with TLS, as qs up --tls-only')
    .option(
      '--memory-max <max>',
      `the most it may use: 75%, 512M, 2G (default: "${DEFAULTS.memoryMax}")`,
      checkMemory,
    )
    .option('--no-backup', 'upgrade without a backup')
    .option('--dry-run', 'print the unit of systemd, and change nothing')
    .addOption(
      new Option('--print <for>', 'print what starts it elsewhere, and change nothing').choices(
        Object.keys(FORMS),
      ),
    )
    .addHelpText(
      'after',
      `
Needs systemd and root. The unit is /etc/systemd/system/qs.service. Its settings are .env in the folder, mode 0600: at
first a copy of .env in the current folder or, without one, a backup every 24 hours. They are checked before anything
is started, and so are the ports, the owner of the data, and whether the account can run this program.

To upgrade, install the new version of the program and run the command again without options: it makes a backup with
qs backup, restarts the service with the new program, and waits until events flow. If the backup fails, the service
runs on unchanged. Options that are not given stay as they were installed.

For the other commands be in the folder, as the account: cd /var/lib/qs && sudo -u qs-telemetry qs device add kitchen

Examples
  sudo qs service install --lan                         an account and a folder of its own
  sudo qs service install --lan --user $USER --folder . in place: your account, with the data of this folder
  qs service install --dry-run
  qs service install --print launchd --user $USER --folder .`,
    )
    .action(async ({ dryRun, print, lan, tlsOnly, backup, ...given }: Options) => {
      if (tlsOnly && !lan) throw new QsError('WRONG_USAGE', '--tls-only needs --lan')
      const systemd = new Systemd()
      const installed = systemd.installed()
      const upOptions = ['--lan', ...(tlsOnly ? ['--tls-only'] : [])]
      const wanted = { ...DEFAULTS, ...installed, ...given, ...(lan && { upOptions }) }
      if (dryRun || print !== undefined) {
        process.stdout.write(FORMS[print ?? 'systemd'](planService(wanted)))
        return
      }
      systemd.check()
      if (process.getuid?.() !== 0) throw new QsError('ROOT_NEEDED', 'qs service install needs root')
      const plan = await installService({
        ...wanted,
        backup,
        template: resolve('.env'),
        systemd,
        readyTimeoutMs: READY_TIMEOUT_MS,
        report: console.log,
      })
      console.log(next(plan, installed !== null))
    })
}

function checkMemory(text: string): string {
  if (/^(\d{1,3}%|\d+[KMGT]?)$/.test(text)) return text
  throw new InvalidArgumentError('It takes a share or a size, such as 75%, 512M or 2G.')
}

function next({ folder, user }: ServicePlan, isUpgrade: boolean): string {
  return `
${pc.bold(`qs-telemetry ${isUpgrade ? 'was upgraded' : 'is installed'} and takes events.`)}

  sudo qs service status                      version, since when, last backup
  journalctl --unit qs --follow               the log
  cd ${folder} && sudo -u ${user} qs doctor   any other command, with the settings in ${folder}/.env
`
}
