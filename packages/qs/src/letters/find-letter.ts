import type { ClientBase } from 'pg'
import { momentText } from '../database/moment-text.ts'

/** A dead letter with its original bytes. */
export interface StoredLetter {
  readonly id: string
  /** RFC 3339 in UTC with microseconds. */
  readonly receivedAt: string
  readonly topic: string
  readonly deviceId: string | null
  readonly eventId: string | null
  readonly code: string
  readonly error: string
  readonly trace: string
  readonly payload: Buffer
}

const SQL = `
select dead_letter_id as id, ${momentText('received_at')} as "receivedAt", topic, device_id as "deviceId", event_id as "eventId",
  code, error, trace, payload
from dead_letters where dead_letter_id = $1`

export async function findLetter(database: ClientBase, id: string): Promise<StoredLetter | null> {
  return (await database.query<StoredLetter>(SQL, [id])).rows[0] ?? null
}
