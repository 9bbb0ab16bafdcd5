import type pg from 'pg'
import { lockDataDirectory } from '../embedded/postgres/data-directory-lock.ts'
import { zstd } from '../parquet/zstd.ts'
import { arrivalDays, countDay, dayNamed } from './arrivals.ts'
import { eventsOf } from './cold-file.ts'
import {
  type ColdDay,
  prepareDirectory,
  readColdManifest,
  removeDraft,
  writeColdManifest,
} from './cold-manifest.ts'
import { exportDay } from './export-day.ts'

/**
 * An event keeps the time of its arrival while PostgreSQL is away, so that the number of a day may still grow after it. A
 * day is compared with the database until a comparison this long after its end.
 */
const SETTLED_MS = 7 * 86_400_000
const EVER = '-infinity'

export interface ColdExportOptions {
  readonly directory: string
  /** Compare every day with the database, also those that are settled. */
  readonly recount: boolean
  readonly signal: AbortSignal
  /** Events written so far by this run, and an estimate of what it has to write. */
  readonly onEvents: (done: number, total: number) => void
}

export interface ColdExport {
  /** Of this run. */
  readonly days: number
  readonly events: number
  /** Of the whole directory. */
  readonly files: number
  readonly bytes: number
  readonly allEvents: number
  /** Days of which the database has fewer events than the files, which stay as they are. */
  readonly kept: readonly string[]
}

/**
 * Brings a directory of cold files up to date: a Hive partition for each month of event time, in it one file for each day
 * of arrival. An event arrives once, so it is in one file, and a late event adds a file to its month. The unit of work is
 * a day of arrival: it is written anew if the database has more of its events than the manifest.
 *
 * Files only grow: events that were deleted from the database stay in them.
 */
export async function exportCold(client: pg.Client, options: ColdExportOptions): Promise<ColdExport> {
  const { directory, recount, signal, onEvents } = options
  const lock = lockDataDirectory(prepareDirectory(directory))
  try {
    removeDraft(directory)
    const days: Record<string, ColdDay> = { ...readColdManifest(directory).days }
    const total = Math.max(0, (await estimate(client)) - eventsOf(Object.values(days)))
    const compression = await zstd()
    const kept: string[] = []
    let [done, written] = [0, 0]
    const progress = (events: number) => {
      done += events
      onEvents(done, Math.max(done, total))
    }
    for await (const day of arrivalDays(client, recount ? EVER : firstUnsettled(days))) {
      signal.throwIfAborted()
      const known = days[day.name]
      if (known !== undefined && !recount && isSettled(day.name, known)) continue
      const checkedAt = new Date().toISOString()
      const events = await countDay(client, day)
      if ((known?.events ?? 0) >= events) {
        if (known === undefined) continue
        if (known.events > events) kept.push(day.name)
        days[day.name] = { ...known, checkedAt }
        continue
      }
      const files = await exportDay(client, day, { directory, compression, signal, onEvents: progress })
      days[day.name] = { events: eventsOf(files), checkedAt, files }
      await writeColdManifest(directory, { version: 1, days })
      written++
    }
    await writeColdManifest(directory, { version: 1, days })
    const all = Object.values(days)
    const files = all.flatMap((day) => day.files)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { days: written, events: done, files: files.length, bytes, allEvents: eventsOf(all), kept }
  } finally {
    lock.release()
  }
}

/** Where a run begins: runs go from day to day, so all before it are settled. */
function firstUnsettled(days: Readonly<Record<string, ColdDay>>): string {
  const names = Object.keys(days).sort()
  const first = names.find((name) => !isSettled(name, days[name] as ColdDay))
  if (first !== undefined) return dayNamed(first).from
  const last = names.at(-1)
  return last === undefined ? EVER : dayNamed(last).to
}

function isSettled(name: string, { checkedAt }: ColdDay): boolean {
  return Date.parse(checkedAt) - Date.parse(dayNamed(name).to) > SETTLED_MS
}

async function estimate(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ events: string }>(
    'select coalesce(sum(events), 0) as events from series',
  )
  return Number(rows[0]?.events)
}
