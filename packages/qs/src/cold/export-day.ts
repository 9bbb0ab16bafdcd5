import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { type Compression, parquetStream } from '../parquet/parquet-stream.ts'
import { type ArrivalDay, arrived, countDay } from './arrivals.ts'
import { bytesOf, type ColdRow, coldColumns, coldSelection, partitionOf } from './cold-event.ts'
import { type ColdFile, eventsOf, replaceFile } from './cold-file.ts'
import { draftPath } from './cold-manifest.ts'

/** Rows of one reply of PostgreSQL: with texts and metas at their limits 48 MB. */
const FETCH = 1_000
/** Of a row group, which is what is in memory: readers want large ones. */
const [GROUP_ROWS, GROUP_BYTES] = [50_000, 16_000_000]

export interface DayExport {
  readonly directory: string
  readonly compression: Compression
  readonly signal: AbortSignal
  readonly onEvents: (events: number) => void
}

/**
 * Writes the events that arrived on one day, as one snapshot has them: a file for each month of event time, ordered by
 * device, type and time. Files of the same day from an earlier run are replaced.
 *
 * @throws QsError if it has read fewer events than it has counted
 */
export async function exportDay(
  client: pg.Client,
  day: ArrivalDay,
  { directory, compression, signal, onEvents }: DayExport,
): Promise<readonly ColdFile[]> {
  const name = `arrived-${day.name}.parquet`
  const files: ColdFile[] = []
  // A role may have a time limit for statements, and sorting a day may take longer.
  await client.query('begin isolation level repeatable read, read only; set local statement_timeout = 0')
  try {
    const stored = await countDay(client, day)
    const order = 'year, month, device_id, event_type, ts, event_id'
    const cursor = `declare cold no scroll cursor for select ${coldSelection} ${arrived} order by ${order}`
    await client.query(cursor, [day.from, day.to])
    for await (const { partition, groups } of partitions(fetched(client, signal))) {
      const path = `${partition}/${name}`
      let events = 0
      const counted = tapped(groups, (rows) => {
        events += rows.length
        onEvents(rows.length)
      })
      const bytes = await replaceFile(
        join(directory, path),
        draftPath(directory),
        parquetStream(coldColumns, counted, compression),
      )
      files.push({ path, events, bytes })
    }
    const written = eventsOf(files)
    if (written !== stored)
      throw new QsError('EXPORT_INCOMPLETE', `${day.name}: ${written} of ${stored} events were written`)
  } finally {
    await client.query('rollback')
  }
  removeOthers(directory, name, files)
  return files
}

async function* fetched(client: pg.Client, signal: AbortSignal): AsyncGenerator<readonly ColdRow[]> {
  for (;;) {
    signal.throwIfAborted()
    const { rows } = await client.query<(string | number | null)[]>({
      text: `fetch ${FETCH} from cold`,
      rowMode: 'array',
    })
    if (rows.length === 0) return
    yield rows
  }
}

interface Partition {
  readonly partition: string
  /** To be read to its end before the next partition. */
  readonly groups: AsyncGenerator<readonly ColdRow[]>
}

async function* partitions(parts: AsyncGenerator<readonly ColdRow[]>): AsyncGenerator<Partition> {
  const rows = oneByOne(parts)
  let next = await rows.next()
  async function* groupsOf(partition: string): AsyncGenerator<readonly ColdRow[]> {
    while (!next.done && partitionOf(next.value) === partition) {
      const group: ColdRow[] = []
      let bytes = 0
      while (!next.done && group.length < GROUP_ROWS && bytes < GROUP_BYTES) {
        if (partitionOf(next.value) !== partition) break
        group.push(next.value)
        bytes += bytesOf(next.value)
        next = await rows.next()
      }
      yield group
    }
  }
  while (!next.done) {
    const partition = partitionOf(next.value)
    yield { partition, groups: groupsOf(partition) }
  }
}

async function* oneByOne<T>(parts: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const part of parts) yield* part
}

async function* tapped<T>(parts: AsyncIterable<T>, see: (part: T) => void): AsyncGenerator<T> {
  for await (const part of parts) {
    yield part
    see(part)
  }
}

/** A killed run may have left the day in a month in which it has no events any more. */
function removeOthers(directory: string, name: string, files: readonly ColdFile[]): void {
  const kept = new Set(files.map(({ path }) => path))
  for (const year of readdirSync(directory).filter((entry) => entry.startsWith('year=')))
    for (const month of readdirSync(join(directory, year))) {
      const path = `${year}/${month}/${name}`
      if (!kept.has(path)) rmSync(join(directory, path), { force: true })
    }
}
