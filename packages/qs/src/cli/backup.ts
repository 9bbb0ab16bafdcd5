import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { backup } from '../backup/backup.ts'
import { backupName } from '../backup/backup-folder.ts'
import { summaryOf } from '../backup/manifest.ts'
import { dumpBackup } from '../backup/pg-dump/backup.ts'
import { removeOldBackups } from '../backup/remove-backups.ts'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { QsError } from '../errors/qs-error.ts'
import { onDatabase } from './on-database.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'
import { stopSignal } from './stop-signal.ts'

interface Options {
  readonly out: string
  readonly keep?: number
  readonly pgDump?: true
  readonly leaveOutOthers?: boolean
  readonly json?: true
}

/** For the terminal; `details` is what --json adds. */
interface Made {
  readonly path: string
  readonly tables: readonly { readonly table: string; readonly rows: number }[]
  readonly summary: string
  readonly leftOut: readonly string[]
  readonly details: object
}

export function registerBackup(program: Command): void {
  program
    .command('backup')
    .description('save the database to a folder while everything keeps running')
    .option('--out <path>', 'the folder; with --pg-dump also a file (….dump)', 'backups')
    .option(
      '--keep <n>',
      'then remove all but the newest n backups in that folder',
      parseWith(integer(1, 100_000)),
    )
    .option('--leave-out-others', 'leave out tables and columns of your own, instead of failing')
    .option('--pg-dump', 'one file of pg_dump instead, with everything in the schema')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Needs nothing but the DATABASE_URL of the owner; without it, the embedded database of QS_DATA_DIR is saved, running or
not. A backup is a manifest, qs-….json, and the files that it names in the folder files/. Backups in one folder share
files that are equal. Copy the folder as a whole.

Contained: the rows of all tables of qs, from one instant. Not contained: roles and passwords, accounts of devices at the
broker, and what you added to the schema. Your tables and columns make the command fail; your views, functions and indexes
are named at the end.

--pg-dump needs pg_dump, no older than the server, and writes ….dump and ….dump.json; pg_restore can read it too.

Examples
  qs backup                              backups/qs-20261125T031500Z.json
  qs backup --out /mnt/nas/qs --keep 14  every night, by cron; or set BACKUP_EVERY
  docker compose run --rm qs backup      the composed stack`,
    )
    .action(async (options: Options) => {
      const { out, keep, json } = options
      const isFile = out.endsWith('.dump')
      if (isFile && keep !== undefined)
        throw new QsError('WRONG_USAGE', '--keep needs a folder as --out: the file names in it give the age')
      const config = loadConfig()
      const run = options.pgDump || isFile ? saveDump : saveFolder
      const made = await onDatabase(config, (databaseUrl) => run(databaseUrl, options))
      const removal = { made: made.path, nowMs: Date.now() }
      const removed = keep === undefined ? [] : removeOldBackups(dirname(made.path), { ...removal, keep })
      if (json) console.log(JSON.stringify({ file: made.path, removed, ...made.details }))
      else print(made, removed)
    })
}

async function saveFolder(
  databaseUrl: string,
  { out, leaveOutOthers = false }: Pick<Options, 'out' | 'leaveOutOthers'>,
): Promise<Made> {
  const bar = progress('rows saved')
  const { path, manifest, newBytes } = await backup({
    ...{ databaseUrl, folder: out, now: new Date(), leaveOutOthers },
    ...{ signal: stopSignal(), onRows: bar.update },
  }).finally(bar.stop)
  const tables = manifest.tables.map((table) => ({ table: table.table, ...summaryOf(table) }))
  const bytes = manifest.tables.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.bytes, 0)
  const { createdAt, schemaVersion, leftOut } = manifest
  return {
    ...{ path, tables, leftOut },
    summary: `${mebibytes(bytes)}, of which ${mebibytes(newBytes)} are new`,
    details: { createdAt, schemaVersion, bytes, newBytes, tables, leftOut },
  }
}

async function saveDump(databaseUrl: string, { out }: Pick<Options, 'out'>): Promise<Made> {
  const file = out.endsWith('.dump') ? out : join(out, backupName(new Date(), 'dump'))
  if (existsSync(file)) throw new QsError('FILE_EXISTS', `${file} already exists`)
  const bar = progress('rows saved')
  const manifest = await dumpBackup({
    ...{ databaseUrl, file, signal: stopSignal(), onRows: bar.update },
  }).finally(bar.stop)
  return {
    ...{ path: file, tables: manifest.tables, leftOut: [], details: manifest },
    summary: `${mebibytes(manifest.bytes)}, and ${file}.json`,
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function print({ path, tables, summary, leftOut }: Made, removed: readonly string[]): void {
  for (const { table, rows } of tables) console.log(`${String(rows).padStart(12)} rows  ${table}`)
  console.log(`saved ${path}, ${summary}`)
  if (leftOut.length > 0) console.log(`not in the backup, since qs did not create it: ${leftOut.join(', ')}`)
  for (const old of removed) console.log(`removed ${old}`)
}
