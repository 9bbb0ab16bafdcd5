import type { Storage } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { diskSpaceOf } from '../telemetry/disk-space.ts'
import { folderBytes } from './folder-bytes.ts'
import { forecast } from './forecast.ts'
import { localDirectory } from './local-directory.ts'
import { readSettings } from './read-settings.ts'
import { readSizes } from './read-sizes.ts'
import { storageAdvice, TYPICAL_SEALED } from './storage-advice.ts'
import { bytesOfTables, storageParts } from './storage-parts.ts'

/** Measured at 20 million rows: 160 of table, 84 of primary key, 70 of the second index. */
const TYPICAL_ROW = 320
/** With fewer events, the size of a table says little about each of them. */
const ENOUGH = 10_000
/** Of a row: pages of an index of random ids, and what autovacuum leaves to do. More than that is free space. */
const SLACK = 1.25
const LONGEST_DAYS = 36_500
const DAY_MS = 86_400_000

export interface StorageOptions {
  /** Age at which events are sealed; null: never. */
  readonly sealAfterDays: number | null
  /** A folder on the disk of the database, if it is known to be on this machine. Otherwise the server is asked. */
  readonly dataDirectory: string | null
  /** Of backups on the same disk; need not exist. */
  readonly backupDirectory: string | null
  readonly nowMs: number
}

export async function storageReport(ask: Ask, options: StorageOptions): Promise<Storage> {
  const sizes = await readSizes(ask)
  const { tables, totals, sealed, keepDays } = sizes
  const rows = tables.find(({ name }) => name === 'events')?.rows ?? 0
  const rowsBytes = bytesOfTables(sizes, 'rows') + bytesOfTables(sizes, 'indexes')
  const sealedEvents = sealed?.events ?? 0
  const segmentsBytes = bytesOfTables(sizes, 'segments')
  const bytesPerRow = Math.min(
    rows > ENOUGH ? rowsBytes / rows : Infinity,
    totals.newRowBytes === null ? TYPICAL_ROW : totals.newRowBytes * SLACK,
  )
  const bytesPerSealed = sealedEvents > ENOUGH ? segmentsBytes / sealedEvents : null
  const sealAfterDays = sealed === null ? null : options.sealAfterDays
  const coming = forecast({
    ...{
      eventsPerDay: totals.eventsPerDay ?? 0,
      bytesPerRow,
      rowsBytes,
      sealAfterDays,
      keepDays,
      sealedEvents,
    },
    bytesPerSealed: bytesPerSealed ?? TYPICAL_SEALED,
    otherBytesPerDay:
      totals.days === null
        ? 0
        : (bytesOfTables(sizes, 'hours') + bytesOfTables(sizes, 'letters')) / totals.days,
  })
  const directory = options.dataDirectory ?? (await localDirectory(ask))
  const disk = directory === null ? null : diskSpaceOf(directory)
  const days = disk === null || totals.eventsPerDay === null ? Infinity : coming.days(disk.freeBytes)
  const backupBytes =
    disk === null || options.backupDirectory === null ? null : await folderBytes(options.backupDirectory)
  const report: Omit<Storage, 'advice'> = {
    parts: storageParts(sizes, backupBytes),
    events: { rows, sealed: sealedEvents, bytesPerRow, bytesPerSealed },
    growth:
      totals.eventsPerDay === null
        ? null
        : {
            eventsPerDay: totals.eventsPerDay,
            bytesPerDay: coming.bytesPerDay,
            laterBytesPerDay: coming.laterBytesPerDay,
          },
    disk,
    lasts:
      days < LONGEST_DAYS ? { days, until: new Date(options.nowMs + days * DAY_MS).toISOString() } : null,
    sealing:
      sealed === null
        ? null
        : {
            ...{ horizon: sealed.horizon, walkedAt: sealed.walkedAt },
            deleted: sealed.roomTo === null ? null : { events: sealed.roomEvents, upTo: sealed.roomTo },
          },
    settings: await readSettings(ask),
  }
  const outlook = {
    ...{ sealAfterDays, keepDays, yearBytes: coming.bytesAfter(365) },
    freeInRows: rowsBytes - rows * bytesPerRow,
  }
  return { ...report, advice: storageAdvice(report, outlook) }
}
