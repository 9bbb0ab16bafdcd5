import type { ClientBase } from 'pg'
import { momentText } from '../database/moment-text.ts'
import { arrivalIn } from '../pipeline/arrival-in.ts'

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

const STORED = 'select to_json(e)::text as json from events e where event_id = $1'

/**
 * Segments have no index by id. A conflict names the arrival of the stored event, which is in few segments of its
 * device.
 */
const SEALED = `
select to_json(h)::text as json from (
  select event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
    ts_server, schema, meta, value_exact
  from sealed_events
  where device_id = $2 and last_seen >= $3 and first_seen <= $3 and ts_server = $3 and event_id = $1) h`

type LetterOfEvent = Pick<StoredLetter, 'eventId' | 'deviceId' | 'code' | 'error'>

/**
 * The event with the id of a letter, as JSON for display; null if there is none. A sealed event is found only if the
 * letter is about a conflict with it.
 */
export async function storedEvent(
  database: ClientBase,
  { eventId, deviceId, code, error }: LetterOfEvent,
): Promise<string | null> {
  if (eventId === null) return null
  const { rows } = await database.query<{ json: string }>(STORED, [eventId])
  if (rows[0] !== undefined) return rows[0].json
  const arrivedAt = code === 'EVENT_ID_CONFLICT' ? arrivalIn(error) : null
  if (arrivedAt === null) return null
  const sealed = await database.query<{ json: string }>(SEALED, [eventId, deviceId, arrivedAt])
  return sealed.rows[0]?.json ?? null
}
