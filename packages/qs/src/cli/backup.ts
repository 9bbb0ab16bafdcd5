import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { backup } from '../backup/backup.ts'
import type { BackupManifest } from '../backup/backup-manifest.ts'
import { backupName, removeOldBackups } from '../backup/old-backups.ts'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly out: string
  readonly keep?: number
  readonly json?: true
}

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .description('save the database to a file while everything keeps running')
    .option('--out <path>', 'a file (….dump), or a folder for a file named after the time (UTC)', 'backups')
    .option(
      '--keep <n>',
      'then remove all but the newest n backups in that folder',
      parseWith(integer(1, 100_000)),
    )
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Needs pg_dump, no older than the server, and the DATABASE_URL of the owner. Also writes ….dump.json, the row count and
checksum of every table, which qs restore compares. Copy both files. pg_restore can read the dump too.

Examples
  qs backup                              backups/qs-20261125T031500Z.dump
  qs backup --out /mnt/nas/qs --keep 14  every night, by cron
  docker compose run --rm qs backup      the composed stack`,
    )
    .action(async ({ out, keep, json }: Options) => {
      const isFile = out.endsWith('.dump')
      if (isFile && keep !== undefined)
        throw new QsError('WRONG_USAGE', '--keep needs a folder as --out: the file names in it give the age')
      const file = isFile ? out : join(out, backupName(new Date()))
      if (existsSync(file)) throw new QsError('FILE_EXISTS', `${file} already exists`)
      const databaseUrl = findDatabaseUrl(loadConfig())
      const bar = progress('rows saved')
      const manifest = await backup({ databaseUrl, file, signal: stopSignal(), onRows: bar.update }).finally(
        bar.stop,
      )
      const removed = keep === undefined ? [] : removeOldBackups(dirname(file), keep)
      if (json) console.log(JSON.stringify({ file, removed, ...manifest }))
      else print(file, manifest, removed)
    })
}

function print(file: string, { bytes, tables }: BackupManifest, removed: readonly string[]): void {
  for (const { table, rows } of tables) console.log(`${String(rows).padStart(12)} rows  ${table}`)
  console.log(`saved ${file}, ${(bytes / 1024 / 1024).toFixed(1)} MiB, and ${file}.json`)
  for (const old of removed) console.log(`removed ${old}`)
}
