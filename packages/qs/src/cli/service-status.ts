import type { Command } from 'commander'
import pc from 'picocolors'
import { type ServiceStatus, serviceStatus } from '../service/status.ts'
import { Systemd } from '../service/systemd.ts'
import { sizeText } from '../storage/size-text.ts'

export function registerServiceStatus(service: Command): void {
  service
    .command('status')
    .description('show version, since when it runs, whether events flow, and the last backup')
    .option('--json', 'print the status as JSON')
    .addHelpText(
      'after',
      `
Only the account of the service and root may read its settings: without sudo, readiness and backup are left out.
Exits with 1 unless the service is active and, where that can be seen, events flow.`,
    )
    .action(async ({ json }: { readonly json?: true }) => {
      const systemd = new Systemd()
      systemd.check()
      const status = await serviceStatus(systemd)
      console.log(json ? JSON.stringify(status, null, 2) : statusText(status))
      if (!isWell(status)) process.exitCode = 1
    })
}

export function isWell({ state, readiness }: ServiceStatus): boolean {
  return state.startsWith('active ') && readiness?.ok !== false
}

export function statusText(status: ServiceStatus): string {
  const { since, readiness, memoryBytes, restarts } = status
  const rows = [
    ['version', status.version],
    ['state', `${status.state}${status.startsAtBoot ? '' : ', does not start with the machine'}`],
    ['since', since === null ? 'does not run' : `${since.toISOString()}, restarted ${restarts} times`],
    ...(status.isOutdated
      ? [['upgrade', 'the program is newer than the running one: sudo qs service install']]
      : []),
    ...(memoryBytes === null ? [] : [['memory', `${sizeText(memoryBytes)}, with file caches`]]),
    ['events', readiness?.detail ?? 'only seen with sudo'],
    ['backup', status.backup === null ? 'only seen with sudo' : backupText(status.backup)],
    ['folder', status.folder],
  ]
  return rows.map(([name = '', value]) => `${pc.cyan(name.padEnd(8))} ${value}`).join('\n')
}

function backupText({ newestMs, failure, everyMs, folder }: NonNullable<ServiceStatus['backup']>): string {
  const newest = newestMs === null ? 'none' : new Date(newestMs).toISOString()
  const schedule =
    everyMs === null ? 'none is scheduled (BACKUP_EVERY=24h)' : `every ${everyMs / 3_600_000} h`
  return `${newest} in ${folder}, ${schedule}${failure === null ? '' : `; the last one failed: ${failure}`}`
}
