import type { Storage } from '@qs-telemetry/protocol/api'
import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { askClient } from '../database/ask-client.ts'
import { withClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { storageOptions } from '../storage/storage-options.ts'
import { storageReport } from '../storage/storage-report.ts'
import { storageText } from '../storage/storage-text.ts'

export function registerStorage(program: Command): void {
  program
    .command('storage')
    .description('show what uses the disk, how it grows, how long it lasts, and what would help')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Reads sizes and counts only; nothing is changed. The free space is known if the database is on this machine and the role
may read where its files are (as the owner of qs up may). The console shows the same under Storage.`,
    )
    .action(async ({ json }: { readonly json?: true }) => {
      const config = loadConfig()
      const report: Storage = await withClient(findDatabaseUrl(config), (client) =>
        storageReport(askClient(client), storageOptions(config)),
      )
      console.log(json ? JSON.stringify(report, null, 2) : storageText(report))
    })
}
