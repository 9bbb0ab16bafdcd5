import type { Storage } from '@qs-telemetry/protocol/api'
import type { Sizes, TableSize } from './read-sizes.ts'

interface Part {
  readonly name: string
  readonly about: string
  readonly bytes: (sizes: Sizes) => number | null
}

const total = ({ bytes, indexBytes }: TableSize) => bytes + indexBytes
const tablesLike =
  (pattern: RegExp) =>
  ({ tables }: Sizes) =>
    tables.filter(({ name }) => pattern.test(name)).reduce((sum, table) => sum + total(table), 0)
const eventsOf = (sizes: Sizes) => sizes.tables.find(({ name }) => name === 'events')

const TABLES: readonly Part[] = [
  { name: 'rows', about: 'recent events, one row each', bytes: (sizes) => eventsOf(sizes)?.bytes ?? 0 },
  { name: 'indexes', about: 'of the rows', bytes: (sizes) => eventsOf(sizes)?.indexBytes ?? 0 },
  { name: 'segments', about: 'sealed events', bytes: tablesLike(/^(event_segments|sealing)$/) },
  { name: 'hours', about: 'numbers by the hour, for long charts', bytes: tablesLike(/^event_hours/) },
  { name: 'letters', about: 'rejected events', bytes: tablesLike(/^dead_letter/) },
]

/** Parts of the database, and what PostgreSQL and backups take beside it; largest first, those of unknown size left out. */
export function storageParts(sizes: Sizes, backupBytes: number | null): Storage['parts'] {
  const parts = TABLES.map(({ name, about, bytes }) => ({ name, about, bytes: bytes(sizes) ?? 0 }))
  const known = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  const others = { name: 'other', about: 'devices, series, counts, catalogs of PostgreSQL' }
  return [
    ...parts,
    { ...others, bytes: Math.max(0, sizes.totals.databaseBytes - known) },
    ...(sizes.walBytes === null
      ? []
      : [{ name: 'WAL', about: 'the log of PostgreSQL, bounded by max_wal_size', bytes: sizes.walBytes }]),
    ...(backupBytes === null ? [] : [{ name: 'backups', about: 'in BACKUP_DIR', bytes: backupBytes }]),
  ].toSorted((one, other) => other.bytes - one.bytes)
}

/** Bytes of the tables of one part. */
export function bytesOfTables(sizes: Sizes, name: string): number {
  return TABLES.find((part) => part.name === name)?.bytes(sizes) ?? 0
}
