import type { Command } from 'commander'
import { QsError } from '../errors/qs-error.ts'
import { Systemd } from '../service/systemd.ts'

export function registerServiceUninstall(service: Command): void {
  service
    .command('uninstall')
    .description('stop the service and remove its unit; data, settings, backups and the account stay')
    .action(() => {
      const systemd = new Systemd()
      systemd.check()
      const installed = systemd.installed()
      if (installed === null) throw new QsError('NO_SERVICE', `There is no ${systemd.unitFile}`)
      if (process.getuid?.() !== 0) throw new QsError('ROOT_NEEDED', 'qs service uninstall needs root')
      systemd.remove()
      console.log(`Removed ${systemd.unitFile}. Data, settings and backups stay in ${installed.folder}.`)
    })
}
