import { statfs } from 'node:fs/promises'
import type { Storage } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { folderBytes } from './folder-bytes.ts'
import { forecast } from './forecast.ts'
import { localDirectory } from './local-directory.ts'
import { readSettings } from './read-settings.ts'
import { readSizes } from './read-sizes.ts'
import { storageAdvice } from './storage-advice.ts'
import { bytesOfTables, storageParts } from './storage-parts.ts'

/** Measured at 20 million rows: 160 of table, 84 of primary key, 70 of the second index. */
const TYPICAL_ROW = 320
/** Measured with 1.3 million events of 150 series, ids in order. */
const TYPICAL_SEALED = 20
/** With fewer events, the size of a table says little about each of them. */
const ENOUGH = 10_000
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
  const { tables, totals, sealed } = sizes
  const rows = tables.find(({ name }) => name === 'events')?.rows ?? 0
  const rowsBytes = bytesOfTables(sizes, 'rows') + bytesOfTables(sizes, 'indexes')
  const sealedEvents = sealed?.events ?? 0
  const segmentsBytes = bytesOfTables(sizes, 'segments')
  const bytesPerRow = rows > ENOUGH ? rowsBytes / rows : TYPICAL_ROW
  const bytesPerSealed = sealedEvents > ENOUGH ? segmentsBytes / sealedEvents : null
  const sealAfterDays = sealed === null ? null : options.sealAfterDays
  const coming = forecast({
    ...{ eventsPerDay: totals.eventsPerDay ?? 0, bytesPerRow, rowsBytes, sealAfterDays },
    bytesPerSealed: bytesPerSealed ?? TYPICAL_SEALED,
    otherBytesPerDay:
      totals.days === null
        ? 0
        : (bytesOfTables(sizes, 'hours') + bytesOfTables(sizes, 'letters')) / totals.days,
  })
  const disk = await diskOf(options.dataDirectory ?? (await localDirectory(ask)))
  const days = disk === null ? Number.POSITIVE_INFINITY : coming.days(disk.freeBytes)
  const backupBytes =
    disk === null || options.backupDirectory === null ? null : await folderBytes(options.backupDirectory)
  const report: Omit<Storage, 'advice'> = {
    parts: storageParts(sizes, backupBytes),
    events: { rows, sealed: sealedEvents, bytesPerRow, bytesPerSealed },
    growth: {
      eventsPerDay: totals.eventsPerDay ?? 0,
      bytesPerDay: coming.bytesPerDay,
      laterBytesPerDay: coming.laterBytesPerDay,
    },
    disk,
    lasts:
      days < LONGEST_DAYS ? { days, until: new Date(options.nowMs + days * DAY_MS).toISOString() } : null,
    sealing: sealed === null ? null : { horizon: sealed.horizon, walkedAt: sealed.walkedAt },
    settings: await readSettings(ask),
  }
  return { ...report, advice: storageAdvice(report, sealAfterDays) }
}

async function diskOf(directory: string | null): Promise<Storage['disk']> {
  if (directory === null) return null
  try {
    const { bavail, blocks, bsize } = await statfs(directory)
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
  } catch {
    return null
  }
}
