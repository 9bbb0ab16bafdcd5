import type { ClientBase } from 'pg'

export type ReplayOutcome = 'stored' | 'duplicate' | 'rejected' | 'unanswered'

/** What somebody did with a dead letter. */
export interface HistoryEntry {
  readonly at: Date
  readonly action: 'repaired' | 'replayed'
  readonly deviceId: string | null
  readonly payload: Buffer
  readonly outcome: ReplayOutcome | null
  readonly code: string | null
  readonly detail: string | null
}

const READ = `
select at, action, device_id as "deviceId", payload, outcome, code, detail
from dead_letter_history where dead_letter_id = $1 order by history_id`

export async function letterHistory(database: ClientBase, id: string): Promise<readonly HistoryEntry[]> {
  return (await database.query<HistoryEntry>(READ, [id])).rows
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
