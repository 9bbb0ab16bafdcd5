import type { Command } from 'commander'
import pc from 'picocolors'
import { summaryOf } from '../backup/manifest.ts'
import { restoreDump } from '../backup/pg-dump/restore.ts'
import { type RestoreOptions, restore } from '../backup/restore.ts'
import { loadConfig } from '../config/load.ts'
import { withDatabase } from '../embedded/with-database.ts'
import { createLog } from '../telemetry/log.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly replace?: boolean
  readonly json?: true
}

export function registerRestore(program: Command): void {
  program
    .command('restore <file>')
    .description('restore a backup into the database and verify that it is complete')
    .option('--replace', 'discard the events that are in the database now')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
<file> is the manifest of a backup, qs-….json, next to its folder files/, or a ….dump of qs backup --pg-dump. Stop the
ingester first. One transaction restores the whole backup, compared with the manifest table by table, or nothing. A backup
of an older version is migrated. What you added to the schema stays, except with ….dump, which replaces everything.

Needs the DATABASE_URL of the owner. Without DATABASE_URL, it starts and restores the embedded database of QS_DATA_DIR.
A ….dump also needs pg_restore and psql.

Examples
  qs restore backups/qs-20261125T031500Z.json
  QS_DATA_DIR=./trial POSTGRES_PORT=5499 qs restore backups/qs-….json      try it beside the running one
  docker compose stop ingester && docker compose run --rm qs restore --replace backups/qs-….json`,
    )
    .action(async (file: string, { replace = false, json }: Options) => {
      const config = loadConfig()
      const signal = stopSignal()
      const bar = progress('rows restored')
      const run = file.endsWith('.dump') ? fromDump : fromFolder
      const done = await withDatabase(config, createLog(config.LOG_LEVEL), (databaseUrl) =>
        run({ databaseUrl, file, replace, signal, onRows: bar.update }).finally(bar.stop),
      )
      if (json) console.log(JSON.stringify({ file, ...done }))
      else print(done)
    })
}

interface Done {
  readonly createdAt: string
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly checksum: string }[]
  readonly migrated: readonly string[]
  readonly isCitus: boolean
}

async function fromFolder(options: RestoreOptions): Promise<Done> {
  const { manifest, ...done } = await restore(options)
  const tables = manifest.tables.map((table) => ({ table: table.table, ...summaryOf(table) }))
  return { ...done, createdAt: manifest.createdAt, tables }
}

async function fromDump(options: RestoreOptions): Promise<Done> {
  const { manifest, ...done } = await restoreDump(options)
  return { ...done, createdAt: manifest.createdAt, tables: manifest.tables }
}

function print({ createdAt, tables, migrated, isCitus }: Done): void {
  for (const { table, rows } of tables) {
    console.log(`${String(rows).padStart(12)} rows  ${table}  ${pc.green('row count and checksum match')}`)
  }
  for (const name of migrated) console.log(`applied ${name}`)
  console.log(`restored the backup of ${createdAt}`)
  if (isCitus)
    console.log(
      'All rows are on the coordinator. Distribute events again: psql … --file=deploy/citus/distribute.sql',
    )
}
