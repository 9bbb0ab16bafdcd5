import type { Command } from 'commander'
import { loadConfig } from '../config/load.ts'
import { migrate } from '../database/migrate.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { applyKeepPolicy, keepPolicy } from '../segments/keep-policy.ts'

export function registerMigrate(program: Command): void {
  program
    .command('migrate')
    .description('bring the database schema up to date; the ingester does the same at start')
    .option('--json', 'print {"applied":[…]}')
    .action(async ({ json }: { json?: true }) => {
      const config = loadConfig()
      const url = findDatabaseUrl(config)
      const applied = await migrate(url, undefined, {
        onBusy: (name) =>
          console.error(`${name}: another session holds a lock on a table that it changes; retrying`),
        onWait: () => console.error('Another process is changing the schema; waiting for it'),
      })
      if (!(await applyKeepPolicy(url, keepPolicy(config))))
        console.error(
          'KEEP_EVENTS, KEEP_HOURS and KEEP_FREE are not applied: only the owner of the tables may change how long events are kept.',
        )
      if (json) console.log(JSON.stringify({ applied }))
      else
        console.log(
          applied.length === 0
            ? 'The schema is up to date.'
            : applied.map((name) => `applied ${name}`).join('\n'),
        )
    })
}
