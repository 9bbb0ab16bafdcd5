import type { Command } from 'commander'
import { findDatabaseUrl } from '../app/endpoints.ts'
import { loadConfig } from '../config/load.ts'
import { migrate } from '../database/migrate.ts'

export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the schema of the database up to date; the ingester does the same when it starts')
    .option('--json', 'print {"applied":[…]}')
    .action(async ({ json }: { json?: true }) => {
      const applied = await migrate(findDatabaseUrl(loadConfig()))
      if (json) console.log(JSON.stringify({ applied }))
      else
        console.log(
          applied.length === 0
            ? 'The schema is up to date.'
            : applied.map((name) => `applied ${name}`).join('\n'),
        )
    })
}
