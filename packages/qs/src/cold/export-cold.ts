import type pg from 'pg'
import { lockDataDirectory } from '../embedded/postgres/data-directory-lock.ts'
import { zstd } from '../parquet/zstd.ts'
import { arrivalDay, arrivalDays, dayNamed } from './arrivals.ts'
import { eventsOf } from './cold-file.ts'
import {
  type ColdDay,
  type ColdDays,
  prepareDirectory,
  prepareDrafts,
  readColdDays,
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
  /** Days of which the files have events that the database no longer has, of those that this run has compared. */
  readonly kept: readonly string[]
  /** Files that cannot be read, under the name that they have now. */
  readonly damaged: readonly string[]
}

/**
 * Brings a directory of cold files up to date: a Hive partition for each month of event time, in it one file for each day
 * of arrival. An event arrives once, so it is in one file, and a late event adds a file to its month. The unit of work is
 * a day of arrival: its files are compared with the database if that has other events of the day than at the last run.
 *
 * No event ever leaves the files, also when the database deletes it.
 */
export async function exportCold(client: pg.Client, options: ColdExportOptions): Promise<ColdExport> {
  const { directory, recount, signal, onEvents } = options
  const lock = lockDataDirectory(prepareDirectory(directory))
  try {
    prepareDrafts(directory)
    const { days: found, damaged } = await readColdDays(directory)
    const days: Record<string, ColdDay> = { ...found }
    const eventsIn = () => Object.values(days).reduce((sum, { files }) => sum + eventsOf(files), 0)
    // A role may have limits, and sorting or writing a day may take longer.
    await client.query('set statement_timeout = 0; set idle_in_transaction_session_timeout = 0')
    const total = Math.max(0, (await estimate(client)) - eventsIn())
    const compression = await zstd()
    const kept: string[] = []
    let [done, written] = [0, 0]
    const progress = (events: number) => {
      done += events
      onEvents(done, Math.max(done, total))
    }
    for (const day of await arrivalDays(client, recount ? EVER : firstUnsettled(days))) {
      signal.throwIfAborted()
      const known = days[day.name]
      if (known !== undefined && !recount && isSettled(day.name, known)) continue
      const checkedAt = new Date().toISOString()
      const work = { directory, compression, signal, onEvents: progress }
      const { stored, files, isNew } = await exportDay(client, day, known, work)
      if (stored.events === 0 && files.length === 0) continue
      days[day.name] = { stored, checkedAt, files }
      if (eventsOf(files) > stored.events) kept.push(day.name)
      if (!isNew) continue
      await writeColdManifest(directory, days)
      written++
    }
    await writeColdManifest(directory, days)
    const files = Object.values(days).flatMap((day) => day.files)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return { days: written, events: done, files: files.length, bytes, allEvents: eventsIn(), kept, damaged }
  } finally {
    lock.release()
  }
}

/**
 * Where a run begins. Runs go from day to day, so all before it are settled. Of the last week also days that are not in the
 * list are looked up, whatever the list says of days to come: a server's clock was ahead.
 */
function firstUnsettled(days: ColdDays): string {
  const recent = arrivalDay(Date.now() - SETTLED_MS).name
  const names = Object.keys(days).sort()
  const first = names.findIndex((name) => name >= recent || !isSettled(name, days[name] as ColdDay))
  const last = names.at(first === -1 ? -1 : first - 1)
  return first === 0 || last === undefined ? EVER : dayNamed(last).to
}

function isSettled(name: string, { stored, checkedAt }: ColdDay): boolean {
  return stored !== null && Date.parse(checkedAt) - Date.parse(dayNamed(name).to) > SETTLED_MS
}

async function estimate(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ events: string }>(
    'select coalesce(sum(events), 0) as events from series',
  )
  return Number(rows[0]?.events)
}
