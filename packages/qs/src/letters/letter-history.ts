import type { ClientBase } from 'pg'
import { momentText } from '../database/moment-text.ts'

export type ReplayOutcome = 'stored' | 'duplicate' | 'rejected' | 'unanswered'

/** A repair or replay of a dead letter. */
export interface HistoryEntry {
  /** RFC 3339 in UTC with microseconds. */
  readonly at: string
  readonly action: 'repaired' | 'replayed'
  readonly deviceId: string | null
  readonly payload: Buffer
  readonly outcome: ReplayOutcome | null
  readonly code: string | null
  readonly detail: string | null
}

const COLUMNS = `${momentText('at')} as at, action, device_id as "deviceId", outcome, code, detail`

/** The newest hundred entries, oldest first. */
const read = (columns: string) => `
select ${columns} from (
  select * from dead_letter_history where dead_letter_id = $1 order by history_id desc limit 100) h
order by history_id`
const [STEPS, WITH_BYTES] = [read(COLUMNS), read(`${COLUMNS}, payload`)]

/** The history of a letter without payloads, since each is as large as the letter. */
export async function letterSteps(
  database: ClientBase,
  id: string,
): Promise<readonly Omit<HistoryEntry, 'payload'>[]> {
  return (await database.query<HistoryEntry>(STEPS, [id])).rows
}

export async function letterHistory(database: ClientBase, id: string): Promise<readonly HistoryEntry[]> {
  return (await database.query<HistoryEntry>(WITH_BYTES, [id])).rows
}

const LAST_REPAIR = `
select payload, device_id as "deviceId" from dead_letter_history
where dead_letter_id = $1 and action = 'repaired' order by history_id desc limit 1`

export async function lastRepair(
  database: ClientBase,
  id: string,
): Promise<Pick<HistoryEntry, 'payload' | 'deviceId'> | null> {
  return (await database.query<HistoryEntry>(LAST_REPAIR, [id])).rows[0] ?? null
}

const ADD = `
insert into dead_letter_history (dead_letter_id, action, device_id, payload, outcome, code, detail)
values ($1, $2, $3, $4, $5, $6, $7)`

export async function addHistory(
  database: ClientBase,
  id: string,
  { action, deviceId, payload, outcome, code, detail }: Omit<HistoryEntry, 'at'>,
): Promise<void> {
  await database.query(ADD, [id, action, deviceId, payload, outcome, code, detail])
}
