import type { Command } from 'commander'
import pc from 'picocolors'
import { type Restored, restore } from '../backup/restore.ts'
import { loadConfig } from '../config/load.ts'
import { withDatabase } from '../embedded/with-database.ts'
import { createLog } from '../telemetry/log.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly replace?: true
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
Stop the ingester first. One transaction restores the whole backup, compared with ….dump.json table by table, or
nothing. A backup of an older version is migrated. Needs pg_restore and psql, and the DATABASE_URL of the owner.
Without DATABASE_URL, it starts and restores the embedded database of QS_DATA_DIR.

Examples
  qs restore backups/qs-20261125T031500Z.dump
  docker compose stop ingester && docker compose run --rm qs restore --replace backups/qs-….dump`,
    )
    .action(async (file: string, { replace, json }: Options) => {
      const config = loadConfig()
      const signal = stopSignal()
      const bar = progress('rows restored')
      const restored = await withDatabase(config, createLog(config.LOG_LEVEL), (databaseUrl) =>
        restore({ databaseUrl, file, replace: replace ?? false, signal, onRows: bar.update }).finally(
          bar.stop,
        ),
      )
      if (json) console.log(JSON.stringify({ file, ...restored }))
      else print(restored)
    })
}

function print({ manifest, migrated }: Restored): void {
  for (const { table, rows } of manifest.tables) {
    console.log(`${String(rows).padStart(12)} rows  ${table}  ${pc.green('row count and checksum match')}`)
  }
  for (const name of migrated) console.log(`applied ${name}`)
  console.log(`restored the backup of ${manifest.createdAt}`)
}
