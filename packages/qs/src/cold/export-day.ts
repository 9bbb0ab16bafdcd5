import type pg from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { type Compression, parquetStream } from '../parquet/parquet-stream.ts'
import { type ArrivalDay, arrived, contentOf, type DayContent } from './arrivals.ts'
import { type ColdRow, coldColumns, coldOrder, coldSelection, fromDatabase } from './cold-event.ts'
import { type ColdFile, publish, writeDraft } from './cold-file.ts'
import { type ColdDay, draftPath, freeName } from './cold-manifest.ts'
import { type Change, compareFiles, withWalks } from './compare-files.ts'
import { type FileWalk, isInAny } from './file-walk.ts'
import { groups, partitions } from './partitions.ts'
import { readColdFile } from './read-cold-file.ts'

/** Rows of one reply of PostgreSQL: with texts and metas at their limits 48 MB. */
const FETCH = 1_000

export interface DayExport {
  readonly directory: string
  readonly compression: Compression
  readonly signal: AbortSignal
  readonly onEvents: (events: number) => void
}

export interface ExportedDay {
  readonly stored: DayContent
  readonly files: readonly ColdFile[]
  /** Whether a file was written. */
  readonly isNew: boolean
}

const FIRST_FILE: Change = { replaced: undefined, kept: [], hasNew: true }

/**
 * Brings the files of one day of arrival up to date with one snapshot: a file for each month of event time, ordered by
 * device, type and time. A file with an event that the database no longer has stays as it is, and what it lacks goes into
 * another one. The files get their names when all of them are complete and were read back.
 *
 * @throws QsError if what was written is not what the database has
 */
export async function exportDay(
  client: pg.Client,
  day: ArrivalDay,
  known: ColdDay | undefined,
  options: DayExport,
): Promise<ExportedDay> {
  const { directory } = options
  const files = known?.files ?? []
  await client.query('begin isolation level repeatable read, read only')
  try {
    const stored = await contentOf(client, day)
    const isKnown = known?.stored?.events === stored.events && known.stored.checksum === stored.checksum
    if (isKnown || stored.events === 0) return { stored, files, isNew: false }
    const rows = () => eventsOfDay(client, day, options.signal)
    const changes = files.length === 0 ? null : await compareFiles(directory, files, rows())
    const isComplete = changes !== null && [...changes.values()].every(({ hasNew }) => !hasNew)
    if (isComplete) return { stored, files, isNew: false }

    const drafts: (ColdFile & { readonly draft: string })[] = []
    const seen = { events: 0 }
    for await (const { partition, rows: all } of partitions(counted(rows(), seen))) {
      const { replaced, kept, hasNew } = changes?.get(partition) ?? FIRST_FILE
      if (!hasNew) {
        for await (const _ of all);
        continue
      }
      const path = replaced?.path ?? freeName(partition, day.name, files)
      const draft = draftPath(directory, drafts.length)
      const written = await withWalks(directory, kept, (walks) => write(draft, without(all, walks), options))
      drafts.push({ path, draft, ...written })
    }
    if (seen.events !== stored.events)
      throw new QsError(
        'EXPORT_INCOMPLETE',
        `${day.name}: ${seen.events} of ${stored.events} events were read`,
      )
    for (const { draft, path } of drafts) publish(directory, draft, path)
    const written = drafts.map(({ path, events, bytes }) => ({ path, events, bytes }))
    const others = files.filter(({ path }) => !written.some((file) => file.path === path))
    return { stored, files: [...others, ...written], isNew: true }
  } finally {
    await client.query('rollback')
  }
}

async function* eventsOfDay(
  client: pg.Client,
  { from, to }: ArrivalDay,
  signal: AbortSignal,
): AsyncGenerator<ColdRow> {
  const cursor = `declare cold no scroll cursor for select ${coldSelection} ${arrived} order by ${coldOrder}`
  await client.query(cursor, [from, to])
  for (;;) {
    signal.throwIfAborted()
    const { rows } = await client.query<(string | number | null)[]>({
      text: `fetch ${FETCH} from cold`,
      rowMode: 'array',
    })
    if (rows.length === 0) break
    for (const row of rows) yield fromDatabase(row)
  }
  await client.query('close cold')
}

async function* counted(rows: AsyncIterable<ColdRow>, seen: { events: number }): AsyncGenerator<ColdRow> {
  for await (const row of rows) {
    seen.events++
    yield row
  }
}

async function* without(rows: AsyncIterable<ColdRow>, walks: readonly FileWalk[]): AsyncGenerator<ColdRow> {
  for await (const row of rows) if (!(await isInAny(walks, row))) yield row
}

async function write(
  draft: string,
  rows: AsyncIterable<ColdRow>,
  { compression, onEvents }: DayExport,
): Promise<{ readonly events: number; readonly bytes: number }> {
  let events = 0
  async function* seen() {
    for await (const group of groups(rows)) {
      yield group
      events += group.length
      onEvents(group.length)
    }
  }
  const bytes = await writeDraft(draft, parquetStream(coldColumns, seen(), compression))
  let found = 0
  for await (const _ of readColdFile(draft)) found++
  if (found !== events)
    throw new QsError(
      'EXPORT_INCOMPLETE',
      `${draft} has ${found} of the ${events} events that were written to it`,
    )
  return { events, bytes }
}
