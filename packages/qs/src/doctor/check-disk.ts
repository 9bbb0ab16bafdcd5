import { statfs } from 'node:fs/promises'
import type { ClientBase } from 'pg'
import { counted } from '../telemetry/counted.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

/** Rows per day over the last week, or the part of it with data, and bytes per row including indexes. */
const GROWTH = `
select
  coalesce(sum(stored), 0)::float8 / greatest(extract(epoch from now() - min(minute)) / 86400, 0.04)::float8 as "rowsPerDay",
  (select pg_total_relation_size('events') / greatest(reltuples, 1) from pg_class where oid = 'events'::regclass)::float8
    as "bytesPerRow",
  (select reltuples from pg_class where oid = 'events'::regclass)::float8 as rows,
  pg_database_size(current_database())::float8 as "databaseBytes"
from ingest_stats where minute > now() - interval '7 days'`

interface Growth {
  readonly rowsPerDay: number | null
  readonly bytesPerRow: number
  readonly rows: number
  readonly databaseBytes: number
}

/** Measured at 20 million rows: 160 of table, 84 of primary key, 70 of the second index. */
const TYPICAL_BYTES_PER_ROW = 320
/** With fewer rows, the size of the table says little about bytes per row. */
const ENOUGH_ROWS = 10_000
const [WARNING_DAYS, PROBLEM_DAYS] = [60, 7]
const [WARNING_SHARE, PROBLEM_SHARE] = [0.1, 0.03]

/** How long the disk lasts. PostgreSQL stops on a full disk, and devices then keep their events. */
export async function* checkDisk(database: ClientBase): AsyncGenerator<Finding> {
  const [growth] = (await database.query<Growth>(GROWTH)).rows
  if (growth === undefined) return
  const bytesPerRow = growth.rows > ENOUGH_ROWS ? growth.bytesPerRow : TYPICAL_BYTES_PER_ROW
  const bytesPerDay = (growth.rowsPerDay ?? 0) * bytesPerRow
  const size = `the database takes ${gigabytes(growth.databaseBytes)} and grows by ${gigabytes(bytesPerDay)} a day`
  yield await checkFree(database, bytesPerDay, size)
  yield* checkSlots(database)
}

async function checkFree(database: ClientBase, bytesPerDay: number, size: string): Promise<Finding> {
  const name = 'disk'
  const directory = await localDirectory(database)
  const disk = directory === null ? null : await statfs(directory).catch(() => null)
  if (disk === null)
    return unknown(
      name,
      `${size}; free space unknown: the database is on another host, or this role may not read data_directory`,
      'Monitor the disk of the database, or run qs doctor there as a superuser',
    )
  const free = disk.bavail * disk.bsize
  const days = bytesPerDay > 0 ? free / bytesPerDay : Number.POSITIVE_INFINITY
  const detail = `${size}; ${gigabytes(free)} are free, enough for ${daysText(days)}`
  const share = free / (disk.blocks * disk.bsize)
  const advice = 'Use a larger disk, or delete old events and vacuum'
  if (days < PROBLEM_DAYS || share < PROBLEM_SHARE) return problem(name, detail, advice)
  if (days < WARNING_DAYS || share < WARNING_SHARE) return warning(name, detail, advice)
  return ok(name, detail)
}

/** The data directory if the database is on this host (connected over loopback). A container has its own paths. */
async function localDirectory(database: ClientBase): Promise<string | null> {
  const { rows } = await database.query<{ isLocal: boolean; directory: string | null }>(`
    select coalesce(inet_server_addr() << inet '127.0.0.0/8' or inet_server_addr() = inet '::1', true) as "isLocal",
      case when pg_has_role('pg_read_all_settings', 'usage') then current_setting('data_directory') end as directory`)
  const [{ isLocal, directory } = { isLocal: false, directory: null }] = rows
  return isLocal ? directory : null
}

/** An unused replication slot keeps all WAL forever: a classic way to fill a disk. */
async function* checkSlots(database: ClientBase): AsyncGenerator<Finding> {
  const { rows } = await database.query<{ name: string; bytes: number }>(`
    select slot_name as name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as bytes
    from pg_replication_slots where not active and restart_lsn is not null and not pg_is_in_recovery()`)
  if (rows.length === 0) return yield ok('database WAL', 'no unused replication slots')
  const list = rows.map(({ name, bytes }) => `${name} (${gigabytes(bytes)})`).join(', ')
  yield warning(
    'database WAL',
    `unused replication slots keep WAL: ${list}`,
    `Start the consumer of the slot, or select pg_drop_replication_slot('…')`,
  )
}

function daysText(days: number): string {
  if (days >= 36_500) return 'more than 100 years'
  return days < 1 ? 'less than a day' : `about ${counted(Math.floor(days), 'day')}`
}

function gigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
