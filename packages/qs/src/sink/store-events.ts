import type { QueryResult } from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { arrivedAt } from '../pipeline/arrival-in.ts'
import type { Event, Outcome } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { bisect } from './bisect.ts'
import { type Comparison, compareEvents, readComparisons } from './compare-events.ts'
import { type Connection, pipelined } from './connection.ts'
import { violationsIn } from './find-violations.ts'
import { byId, type EventRow, insertEvents } from './insert-events.ts'
import { isRaised, sqlstateOf } from './sqlstate.ts'

/** A row and where its outcome goes: the outcomes of its message, and its index there. */
export interface PendingRow extends EventRow {
  readonly outcomes: (Outcome | undefined)[]
  readonly index: number
}

/** Inserts rows with distinct ids, sorted by id. */
export type Insert = (connection: Connection, rows: readonly PendingRow[]) => Promise<Inserted>

export interface Inserted {
  /** null if every row that is not refused is new. */
  readonly newIds: ReadonlySet<string> | null
  readonly refused: ReadonlyMap<PendingRow, Outcome>
}

/** Rounds without progress before the batch fails and is retried later. */
const MAX_IDLE_ROUNDS = 5

/**
 * Determines the outcome of every row, within the transaction open on the connection.
 *
 * A round inserts the first row of each id; rows whose id existed already, or occurs twice in the batch, are compared
 * with the stored event. If there is no stored event (deleted in between, or the first row of the id was rejected), the
 * row goes into the next round.
 */
export async function storeEvents(
  connection: Connection,
  rows: readonly PendingRow[],
  insert: Insert,
): Promise<void> {
  let pending = rows
  for (let idleRounds = 0; pending.length > 0; ) {
    if (idleRounds === MAX_IDLE_ROUNDS)
      throw new QsError('ROWS_VANISH', 'Rows disappear while they are compared')
    const { firsts, repeats } = splitById(pending)
    const { newIds, refused } = await insert(connection, firsts)
    const others = [...repeats]
    for (const row of firsts) {
      const refusal = refused.get(row)
      if (refusal !== undefined) row.outcomes[row.index] = refusal
      else if (newIds !== null && !newIds.has(row.event.eventId)) others.push(row)
      else row.outcomes[row.index] = { kind: 'stored', tsServer: row.tsServer }
    }
    const left = others.length === 0 ? others : await compare(connection, others)
    idleRounds = left.length < pending.length ? 0 : idleRounds + 1
    pending = left
  }
}

const NOBODY: ReadonlyMap<PendingRow, Outcome> = new Map()

/** One statement for all rows, new or not; one bad row fails them all. */
export const insertTogether: Insert = async (connection, rows) => {
  const [result] = await pipelined(connection, insertEvents(rows))
  const newIds = readNewIds(result)
  return { newIds: newIds && new Set(newIds), refused: NOBODY }
}

/** What is deferred to COMMIT would fail the batch for ever, since no row can be found there. */
export const CHECK_AT_ONCE = { text: 'set constraints all immediate' }

/** For a batch that PostgreSQL refused: finds the bad rows, and rejects those. */
export const insertJudging: Insert = async (connection, rows) => {
  await pipelined(connection, CHECK_AT_ONCE)
  const newIds = new Set<string>()
  const refused = new Map<PendingRow, Outcome>()
  for (const [row, error] of await violationsIn(connection, rows)) refused.set(row, refusal(error, row.event))
  const others = refused.size === 0 ? rows : rows.filter((row) => !refused.has(row))
  await bisect(connection, others, {
    query: insertEvents,
    take: (part, result) => {
      for (const id of readNewIds(result) ?? part.map(({ event }) => event.eventId)) newIds.add(id)
    },
    refuse: (row, error) => refused.set(row, refusal(error, row.event)),
  })
  return { newIds, refused }
}

function readNewIds(result: QueryResult | undefined): readonly string[] | null {
  return (result?.rows[0]?.new_ids ?? null) as readonly string[] | null
}

async function compare(connection: Connection, rows: readonly PendingRow[]): Promise<readonly PendingRow[]> {
  const [result] = await pipelined(connection, compareEvents(rows))
  const missing = new Set(rows)
  for (const comparison of readComparisons(result?.rows ?? [])) {
    const row = rows[comparison.index] as PendingRow
    missing.delete(row)
    row.outcomes[row.index] = outcomeOf(row.event, comparison)
  }
  return [...missing]
}

/** Of an event whose id is stored already. */
export function outcomeOf(event: Event, { tsServer, same, own }: Comparison): Outcome {
  if (same) return { kind: 'duplicate', tsServer }
  return own ? conflict(event, tsServer) : foreignConflict(event)
}

function conflict({ eventId }: Event, tsServer: string): Outcome {
  return rejection('EVENT_ID_CONFLICT', arrivedAt(tsServer), {
    eventId,
    trace: `sink: the content differs from that of the event stored at ${tsServer}`,
  })
}

/**
 * The id was used by another device. Nothing about that event is disclosed, neither its time nor its content. The dead
 * letter is kept regardless of the allowance, since this device may be the victim. That fills the disk no faster than
 * events do, which the other device could send as well.
 */
function foreignConflict({ eventId }: Event): Outcome {
  const trace = 'sink: another device has used this event_id'
  return { ...rejection('EVENT_ID_CONFLICT', '', { eventId, trace }), isAlwaysKept: true }
}

/** Of an event that PostgreSQL refuses. */
export function refusal(error: unknown, { eventId }: Event): Outcome {
  const { message, detail, where } = error as { message?: string; detail?: string; where?: string }
  const trace = [`sink: SQLSTATE ${sqlstateOf(error)}: ${message}`, detail, where].filter(Boolean).join('\n')
  const outcome = rejection('STORAGE_REJECTED', String(message), { eventId, trace })
  return isRaised(error) ? { ...outcome, isAlwaysKept: true } : outcome
}

function splitById(rows: readonly PendingRow[]) {
  const firsts: PendingRow[] = []
  const repeats: PendingRow[] = []
  let last: string | null = null
  // The sort is stable, so the first to arrive remains first.
  for (const row of [...rows].sort(byId)) {
    ;(row.event.eventId === last ? repeats : firsts).push(row)
    last = row.event.eventId
  }
  return { firsts, repeats }
}
