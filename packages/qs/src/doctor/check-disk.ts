import type pg from 'pg'
import type { Config } from '../config/settings.ts'
import { askClient } from '../database/ask-client.ts'
import { sizeText } from '../storage/size-text.ts'
import { storageOptions } from '../storage/storage-options.ts'
import { storageReport } from '../storage/storage-report.ts'
import { lastsText } from '../storage/storage-text.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

const [WARNING_DAYS, PROBLEM_DAYS] = [30, 7]
const [WARNING_SHARE, PROBLEM_SHARE] = [0.1, 0.03]

/** How long the disk lasts. PostgreSQL stops on a full disk, and devices then keep their events. */
export async function* checkDisk(database: pg.Client, config: Config): AsyncGenerator<Finding> {
  const report = await storageReport(askClient(database), storageOptions(config))
  const { parts, growth, disk, lasts } = report
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  const grows = growth === null ? '' : ` and grows by ${sizeText(growth.bytesPerDay)} a day`
  const size = `the database takes ${sizeText(bytes)}${grows}`
  if (disk === null)
    yield unknown(
      'disk',
      `${size}; free space unknown: the database is on another host, or this role may not read data_directory`,
      'Monitor the disk of the database, or run qs doctor there as a superuser',
    )
  else {
    const detail = `${size}; ${sizeText(disk.freeBytes)} are free: ${lastsText(report)}`
    const advice = 'qs storage says what uses the disk and what would help'
    const [days, share] = [lasts?.days ?? Number.POSITIVE_INFINITY, disk.freeBytes / disk.totalBytes]
    if (days < PROBLEM_DAYS || share < PROBLEM_SHARE) yield problem('disk', detail, advice)
    else if (days < WARNING_DAYS || share < WARNING_SHARE) yield warning('disk', detail, advice)
    else yield ok('disk', detail)
  }
  yield* checkSlots(database)
}

/** An unused replication slot keeps all WAL forever: a classic way to fill a disk. */
async function* checkSlots(database: pg.Client): AsyncGenerator<Finding> {
  const { rows } = await database.query<{ name: string; bytes: number }>(`
    select slot_name as name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as bytes
    from pg_replication_slots where not active and restart_lsn is not null and not pg_is_in_recovery()`)
  if (rows.length === 0) return yield ok('database WAL', 'no unused replication slots')
  const list = rows.map(({ name, bytes }) => `${name} (${sizeText(bytes)})`).join(', ')
  yield warning(
    'database WAL',
    `unused replication slots keep WAL: ${list}`,
    `Start the consumer of the slot, or select pg_drop_replication_slot('…')`,
  )
}
