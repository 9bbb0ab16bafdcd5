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
    .description('put a backup into the database, and prove that all of it came back')
    .option('--replace', 'the events that are there now may go')
    .option('--json', 'print what was restored as JSON')
    .addHelpText(
      'after',
      `
Stop the ingester first. One transaction: all of the backup, compared with ….dump.json row by row, or nothing. A
backup of an older version is brought up to date. Needs pg_restore and psql, and the DATABASE_URL of the owner;
without DATABASE_URL it is the embedded database of QS_DATA_DIR, which is started for it.

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
    console.log(`${String(rows).padStart(12)} rows  ${table}  ${pc.green('number and checksum as saved')}`)
  }
  for (const name of migrated) console.log(`applied ${name}`)
  console.log(`restored what was saved at ${manifest.createdAt}`)
}
