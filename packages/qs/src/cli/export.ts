import { type Command, Option } from 'commander'
import type { ColdExport } from '../cold/export-cold.ts'
import { loadConfig } from '../config/load.ts'
import { openClient } from '../database/open-client.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { counted } from '../telemetry/counted.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly recount?: boolean
  readonly json?: true
}

export function registerExport(program: Command): void {
  program
    .command('export <directory>')
    .description('write all events to Parquet files, and later only what is new')
    .addOption(new Option('--parquet', 'Apache Parquet with Zstandard').default(true))
    .addOption(
      new Option('--partition <by>', 'one folder for each of these').choices(['month']).default('month'),
    )
    .option(
      '--recount',
      'compare every day with the database, not only those of the last week and those that are missing',
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Writes <directory>/year=2026/month=11/arrived-2026-11-28.parquet: a folder for each month of event time (UTC), a file for
each day on which events arrived. DuckDB, Spark, Trino and ClickHouse read the directory as one table. It may run while
events arrive, and may be stopped or killed: the next run continues. Events that were deleted from the database stay in
the files. docs/cold-files.md has queries.

Examples
  qs export --parquet --partition month /mnt/nas/qs      every night, by cron
  duckdb -c "from read_parquet('/mnt/nas/qs/*/*/*.parquet', hive_partitioning = true) limit 10"`,
    )
    .action(async (directory: string, { recount = false, json }: Options) => {
      const client = await openClient(findDatabaseUrl(loadConfig()), {
        name: 'qs-export',
        connectTimeoutMs: 5_000,
      })
      const bar = progress('events written')
      // Loaded on demand, since it is rarely needed.
      const { exportCold } = await import('../cold/export-cold.ts')
      const signal = stopSignal()
      const result = await exportCold(client, { directory, recount, signal, onEvents: bar.update }).finally(
        async () => {
          bar.stop()
          await client.end()
        },
      )
      if (json) console.log(JSON.stringify({ directory, ...result }))
      else print(directory, result)
    })
}

function print(
  directory: string,
  { days, events, files, bytes, allEvents, kept, damaged }: ColdExport,
): void {
  console.log(`wrote ${counted(events, 'event')} that arrived on ${counted(days, 'day')}`)
  const each = allEvents === 0 ? '' : `, ${(bytes / allEvents).toFixed(1)} bytes each`
  console.log(`${directory} has ${counted(allEvents, 'event')} in ${counted(files, 'file')}${each}`)
  if (kept.length > 0)
    console.log(
      `${counted(kept.length, 'day')} kept events that the database no longer has: ${kept.join(', ')}`,
    )
  if (damaged.length > 0) console.log(`could not be read, and was set aside: ${damaged.join(', ')}`)
}
