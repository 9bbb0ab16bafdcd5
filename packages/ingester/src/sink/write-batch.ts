import { type Letter, lettersOf } from '../pipeline/letter.ts'
import type { Message } from '../pipeline/message.ts'
import type { BatchResult, Outcome } from '../pipeline/outcome.ts'
import { addStats, type Counts } from './add-stats.ts'
import { BEGIN, COMMIT, type Connection, pipelined, ROLLBACK } from './connection.ts'
import { insertDeadLetters } from './insert-dead-letters.ts'
import { verdictOn } from './sqlstate.ts'
import { type Insert, insertBisecting, insertTogether, type PendingRow, storeEvents } from './store-events.ts'
import { type DeviceSeen, upsertDevices } from './upsert-devices.ts'

export interface BatchContext {
  /** Names the rows of this connection in ingest_stats. */
  readonly writer: string
  /** Device rows that are due with this batch. */
  readonly devices: readonly DeviceSeen[]
  /** It was tried before, and may be committed for all anybody knows. */
  readonly isRetry: boolean
}

/**
 * One batch, one transaction: events, dead letters, devices, counts. When it returns, all of it is committed.
 *
 * Throws what PostgreSQL said, with nothing committed or, where the connection broke during COMMIT, with an
 * outcome that nobody knows; both are mended by the same batch again, since the ids are the primary key.
 */
export async function writeBatch(
  connection: Connection,
  batch: readonly Message[],
  context: BatchContext,
): Promise<BatchResult> {
  try {
    return await transact(connection, batch, context, insertTogether)
  } catch (error) {
    if (verdictOn(error) !== 'row') throw error
    return await transact(connection, batch, context, insertBisecting)
  }
}

async function transact(
  connection: Connection,
  batch: readonly Message[],
  { writer, devices, isRetry }: BatchContext,
  insert: Insert,
): Promise<BatchResult> {
  const outcomes = batch.map(({ elements }) =>
    elements.map((each) => (each.kind === 'event' ? undefined : each)),
  )
  try {
    const begun = pipelined(connection, BEGIN)
    const stored = storeEvents(connection, pendingRows(batch, outcomes), insert)
    await settled(begun, stored)

    const letters = batch
      .flatMap((message, index) => lettersOf(message, outcomes[index] ?? []))
      .map((letter) => (isRetry ? { ...letter, redelivered: true } : letter))
    const results = await pipelined(
      connection,
      ...bookkeeping(writer, letters, devices, count(outcomes)),
      COMMIT,
    )
    // PostgreSQL answers COMMIT with ROLLBACK, and no error, when the transaction had failed before.
    if (results.at(-1)?.command !== 'COMMIT') throw new Error('The transaction was rolled back')
  } catch (error) {
    await pipelined(connection, ROLLBACK).catch(() => connection.destroy())
    throw error
  }
  return outcomes as BatchResult
}

function bookkeeping(
  writer: string,
  letters: readonly Letter[],
  devices: readonly DeviceSeen[],
  counts: Counts,
) {
  return [
    ...(letters.length > 0 ? [insertDeadLetters(letters)] : []),
    ...(devices.length > 0 ? [upsertDevices(devices)] : []),
    ...(counts.messages > 0 ? [addStats(writer, counts)] : []),
  ]
}

function pendingRows(batch: readonly Message[], outcomes: (Outcome | undefined)[][]): readonly PendingRow[] {
  const rows: PendingRow[] = []
  for (const [messageIndex, { elements, tsServer }] of batch.entries()) {
    const places = outcomes[messageIndex] as (Outcome | undefined)[]
    for (const [index, event] of elements.entries()) {
      if (event.kind !== 'event') continue
      rows.push({ event, tsServer, outcomes: places, index })
    }
  }
  return rows
}

function count(outcomes: readonly (readonly (Outcome | undefined)[])[]): Counts {
  const counts = { messages: outcomes.length, stored: 0, duplicate: 0, rejected: 0 }
  for (const outcome of outcomes.flat()) {
    if (outcome === undefined) throw new Error('An element of the batch came out without an outcome')
    counts[outcome.kind === 'rejection' ? 'rejected' : outcome.kind]++
  }
  return counts
}

/** Both are waited for before the first failure is thrown, so that no answer is left over for the next statement. */
async function settled(...promises: readonly Promise<unknown>[]): Promise<void> {
  for (const answer of await Promise.allSettled(promises)) {
    if (answer.status === 'rejected') throw answer.reason
  }
}
