import type { QueryConfig } from 'pg'
import { QsError } from '../errors/qs-error.ts'
import type { BatchResult, Element, Message, Outcome } from '../pipeline/message.ts'
import { addStats, type Counts } from './add-stats.ts'
import { type Admission, admitLetters } from './admit-letters.ts'
import { ALL_ADMITTED, admitTypes, learnTypes, refuseType, type TypesByDevice } from './admit-types.ts'
import { BEGIN, COMMIT, type Connection, pipelined, ROLLBACK } from './connection.ts'
import type { CopyProspects } from './copy-prospects.ts'
import type { Copy } from './copy-rows.ts'
import { deferSeries, foldSeries } from './defer-series.ts'
import { answerSealed, isAnySealed } from './find-sealed.ts'
import type { Batch } from './gather.ts'
import { noteStops } from './ingest-stops.ts'
import { countDeadLetters, insertDeadLetters } from './insert-dead-letters.ts'
import type { KnownTypes } from './known-types.ts'
import type { LetterAllowance } from './letter-allowance.ts'
import { noteArrivals } from './note-arrivals.ts'
import { noteBacklog } from './note-backlog.ts'
import { type ChangesByDevice, SeriesChanges } from './series-changes.ts'
import type { SeriesWork } from './series-pace.ts'
import { mayBeInserted, verdictOn } from './sqlstate.ts'
import { type Insert, insertJudging, insertTogether, type PendingRow, storeEvents } from './store-events.ts'
import { type DeviceSeen, recoverDevices, upsertDevices } from './upsert-devices.ts'
import { upsertSeries } from './upsert-series.ts'

export interface BatchContext {
  /** The name of this connection's rows in ingest_stats. */
  readonly writer: string
  /** Device rows that are due with this batch. */
  readonly devices: readonly DeviceSeen[]
  /** The batch was tried before and may have been committed. */
  readonly isRetry: boolean
  /** Receives the result of a COPY. */
  readonly prospects: CopyProspects
  /** For dead letters; if absent, all are kept. */
  readonly allowance?: LetterAllowance | undefined
  /** Limits event types; if absent, devices may have any number. */
  readonly types?: KnownTypes | undefined
  /** If absent, changes of series are written. A batch with a new event type always writes them. */
  readonly series?: SeriesWork | undefined
  /** The events are imported: the rows of series say when they were measured, and learn no rhythm from them. */
  readonly isHistory?: boolean | undefined
  /** Whether nothing was stored for a while before this batch. */
  readonly isAfterPause?: boolean
  /** On the monotonic clock, for the allowance. */
  readonly nowMs: number
  /** The current hour, for noteBacklog; absent if no numbers by the hour are kept. */
  readonly hour?: string
}

/**
 * One batch, one transaction: events, dead letters, devices, counts, series. When it returns, everything is committed.
 *
 * There are three methods, from the fastest to the one that finds each bad row; each is tried if a row failed the
 * previous one. After a batch with bad rows the next ones begin with the last method, until one has none.
 *
 * Throws the error of PostgreSQL with nothing committed or, if the connection broke during COMMIT, with an unknown
 * result; in both cases the same batch can be retried, since the ids are the primary key.
 */
export async function writeBatch(
  connection: Connection,
  batch: Batch,
  asked: BatchContext,
): Promise<BatchResult> {
  const { prospects, isRetry, types } = asked
  const { fresh, refused } = types ? await admitTypes(connection, batch.changes, types) : ALL_ADMITTED
  // The limit of types counts rows of `series`, so the row of a new type must be written.
  const context: BatchContext = fresh.size > 0 ? { ...asked, series: 'write' } : asked
  const learn = (stored: ChangesByDevice) => types && learnTypes(types, fresh, stored)
  const copy = isRetry ? null : batch.copy
  if (copy !== null && !connection.maySkipRows && refused.size === 0) {
    try {
      const result = await copyBatch(connection, batch, copy, context)
      if (result !== null) {
        prospects.succeeded()
        learn(batch.changes)
        return result
      }
    } catch (error) {
      prospects.failed()
      if (!mayBeInserted(error)) throw error
    }
  }
  const options = { ...context, refused, limit: types?.limit ?? 0, learn }
  const together = prospects.expectRefusals
    ? null
    : await unlessRow(insertBatch(connection, batch, { ...options, insert: insertTogether }))
  if (together !== null) return together
  const judged = await insertBatch(connection, batch, { ...options, insert: insertJudging })
  prospects.expectRefusals = judged.some((outcomes) => outcomes.some(isRefusal))
  return judged
}

function isRefusal(outcome: Outcome): boolean {
  return outcome.kind === 'rejection' && outcome.code === 'STORAGE_REJECTED'
}

/** @returns null if a row caused the error */
async function unlessRow<T>(attempt: Promise<T>): Promise<T | null> {
  try {
    return await attempt
  } catch (error) {
    if (verdictOn(error) !== 'row') throw error
    return null
  }
}

/**
 * One round trip, since the outcomes are known in advance: all rows are stored, or COMMIT ends a failed transaction. Two
 * more if some events are so old that segments are searched for them first.
 *
 * @returns null if one of them is sealed: nothing is stored then
 */
async function copyBatch(
  connection: Connection,
  batch: Batch,
  copy: Copy,
  context: BatchContext,
): Promise<BatchResult | null> {
  if (batch.old.length > 0 && !(await beginUnsealed(connection, batch.old))) return null
  const outcomes = whereAllIsStored(batch.messages)
  const letters = admitLetters(batch.messages, outcomes, context)
  try {
    const closing = closingStatements(batch, outcomes, letters, context)
    const begun = batch.old.length > 0 ? Promise.resolve() : pipelined(connection, BEGIN)
    const copied = connection.copy(copy)
    const closed = close(connection, closing)
    await settled(begun, copied, closed)
    if ((await copied) < copy.rows) throw new QsError('ROWS_VANISH', 'COPY stored fewer rows than were sent')
  } catch (error) {
    letters.giveBack()
    throw error
  }
  return outcomes
}

/** Begins a transaction in which no sealed event has one of these ids. @returns false, and no transaction, if one has */
async function beginUnsealed(connection: Connection, old: Batch['old']): Promise<boolean> {
  try {
    await pipelined(connection, BEGIN)
    if (!(await isAnySealed(connection, old))) return true
  } catch (error) {
    await pipelined(connection, ROLLBACK).catch(() => connection.destroy())
    throw error
  }
  await pipelined(connection, ROLLBACK)
  return false
}

interface InsertOptions extends BatchContext {
  readonly insert: Insert
  readonly refused: TypesByDevice
  /** The maximum number of event types, for the message. */
  readonly limit: number
  /** Called with the committed changes. */
  readonly learn: (stored: ChangesByDevice) => void
}

/** Two round trips: the outcomes of the rows are known after the first. Two more, if some may be sealed. */
async function insertBatch(
  connection: Connection,
  { messages, old }: Pick<Batch, 'messages' | 'old'>,
  options: InsertOptions,
): Promise<BatchResult> {
  const outcomes = outcomesOf(messages, options)
  let letters: Admission | null = null
  let changes: ChangesByDevice
  try {
    const begun = pipelined(connection, BEGIN)
    const rows = pendingRows(messages, outcomes)
    const isCareful = options.insert === insertJudging
    const store = async () => {
      const unsealed =
        old.length > 0 ? await answerSealed(connection, rows, { sought: old, isCareful }) : rows
      await storeEvents(connection, unsealed, options.insert)
    }
    await settled(begun, store())
    letters = admitLetters(messages, outcomes, options)
    changes = changesOf(rows)
    const done = { messages, earliestTs: earliestOf(rows), changes }
    await close(connection, closingStatements(done, outcomes, letters, options))
  } catch (error) {
    letters?.giveBack()
    await pipelined(connection, ROLLBACK).catch(() => connection.destroy())
    throw error
  }
  options.learn(changes)
  return outcomes as BatchResult
}

/** The changes by newly stored rows. */
function changesOf(rows: readonly PendingRow[]): ChangesByDevice {
  const changes = new SeriesChanges()
  for (const { event, tsServer, outcomes, index } of rows)
    if (outcomes[index]?.kind === 'stored') changes.add(event, tsServer)
  return changes.byDevice
}

/**
 * The statements after the events. Counts come before dead letters: their row belongs to this writer alone, so if an
 * earlier attempt of the batch, in the same minute, still hangs in its COMMIT, this one waits there and then sees its
 * dead letters. Series come late, because other writers wait for their rows until COMMIT. Only devices come after them,
 * since their rows summarize the series.
 */
function closingStatements(
  { messages, earliestTs, changes }: Pick<Batch, 'messages' | 'earliestTs' | 'changes'>,
  outcomes: readonly (readonly (Outcome | undefined)[])[],
  letters: Admission,
  { writer, devices, isRetry, hour, series, isHistory = false, isAfterPause }: BatchContext,
): readonly QueryConfig[] {
  const counts = count(outcomes)
  const backlog = hour === undefined ? null : noteBacklog(messages, earliestTs, hour)
  return [
    ...(isAfterPause ? [noteStops()] : []),
    ...(counts.messages > 0 ? [addStats(writer, counts)] : []),
    ...letterRows(letters, isRetry),
    ...(backlog !== null ? [backlog] : []),
    ...(changes.size > 0 ? [noteArrivals(messages)] : []),
    ...(changes.size > 0
      ? [series === 'defer' ? deferSeries(changes) : upsertSeries(changes, isHistory)]
      : []),
    ...(series === 'fold' || series === 'recover' ? [foldSeries()] : []),
    ...(series === 'recover' ? [recoverDevices()] : []),
    ...(devices.length > 0 ? [upsertDevices(devices)] : []),
  ]
}

async function close(connection: Connection, statements: readonly QueryConfig[]): Promise<void> {
  const results = await pipelined(connection, ...statements, COMMIT)
  // PostgreSQL answers COMMIT with ROLLBACK, and no error, if the transaction has failed before.
  if (results.at(-1)?.command !== 'COMMIT') {
    throw new QsError('DATABASE_UNREACHABLE', 'The transaction was rolled back')
  }
}

/** A released message has only events. Messages of one read have the same time, and share one outcome. */
function whereAllIsStored(messages: readonly Message[]): Outcome[][] {
  let stored = { kind: 'stored' as const, tsServer: '' }
  return messages.map((message) => {
    const { tsServer } = message
    if (stored.tsServer !== tsServer) stored = { kind: 'stored', tsServer }
    if (message.isReleased) return new Array<Outcome>(message.size).fill(stored)
    return message.elements.map((each) => (each.kind === 'event' ? stored : each))
  })
}

/** The outcomes known in advance; undefined for events, unless their type exceeds the limit. */
function outcomesOf(
  batch: readonly Message[],
  { refused, limit }: Pick<InsertOptions, 'refused' | 'limit'>,
): (Outcome | undefined)[][] {
  return batch.map(({ elements }) =>
    elements.map((each) => {
      if (each.kind !== 'event') return each
      return refused.get(each.deviceId)?.has(each.eventType) ? refuseType(each, limit) : undefined
    }),
  )
}

function letterRows({ kept, counted }: Admission, isRetry: boolean) {
  const letters = isRetry ? kept.map((letter) => ({ ...letter, redelivered: true })) : kept
  return [
    ...(letters.length > 0 ? [insertDeadLetters(letters)] : []),
    ...(counted.length > 0 ? [countDeadLetters(counted)] : []),
  ]
}

function pendingRows(batch: readonly Message[], outcomes: (Outcome | undefined)[][]): PendingRow[] {
  const rows: PendingRow[] = []
  // By index: iterating over entries would create an array for each event.
  for (let message = 0; message < batch.length; message++) {
    const { elements, tsServer } = batch[message] as Message
    const places = outcomes[message] as (Outcome | undefined)[]
    for (let index = 0; index < elements.length; index++) {
      const event = elements[index] as Element
      if (event.kind === 'event' && places[index] === undefined)
        rows.push({ event, tsServer, outcomes: places, index })
    }
  }
  return rows
}

function earliestOf(rows: readonly PendingRow[]): string | null {
  let earliest: string | null = null
  for (const { event } of rows) if (earliest === null || event.ts < earliest) earliest = event.ts
  return earliest
}

function count(outcomes: readonly (readonly (Outcome | undefined)[])[]): Counts {
  const counts = { messages: outcomes.length, stored: 0, duplicate: 0, rejected: 0 }
  for (const places of outcomes) {
    for (const outcome of places) {
      if (outcome === undefined) throw new QsError('INTERNAL_ERROR', 'An element of the batch has no outcome')
      counts[outcome.kind === 'rejection' ? 'rejected' : outcome.kind]++
    }
  }
  return counts
}

/** Waits for all before throwing the first failure, so that no answer is left over for the next statement. */
async function settled(...promises: readonly Promise<unknown>[]): Promise<void> {
  for (const answer of await Promise.allSettled(promises)) {
    if (answer.status === 'rejected') throw answer.reason
  }
}
