import type { Command } from 'commander'
import { registerServiceInstall } from './service-install.ts'
import { registerServiceStatus } from './service-status.ts'
import { registerServiceUninstall } from './service-uninstall.ts'

export function registerService(program: Command): void {
  const service = program
    .command('service')
    .description('run qs up as a service of this machine: install, upgrade, status, uninstall')
    .addHelpText(
      'after',
      `
The service starts with the machine, starts again after a crash, and runs as an account of its own that can write
only to its data. docs/service.md goes through it, with launchd (macOS) and cron.`,
    )
  for (const register of [registerServiceInstall, registerServiceUninstall, registerServiceStatus])
    register(service)
}
