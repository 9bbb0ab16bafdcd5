import type { ClientBase } from 'pg'
import { momentText } from '../database/moment-text.ts'
import { filterValues, type LetterFilter, MATCHES } from './letter-filter.ts'

/** A dead letter in a list, without its bytes. */
export interface LetterSummary {
  readonly id: string
  /** RFC 3339 in UTC with microseconds. */
  readonly receivedAt: string
  readonly deviceId: string | null
  readonly eventId: string | null
  readonly code: string
  readonly error: string
  readonly payloadBytes: number
  /** The last action on it: `new`, `repaired`, or the outcome of the last replay. */
  readonly state: string
}

export interface Page {
  /** Letters after this id in list order; absent: from the beginning. */
  readonly after?: string
  readonly limit: number
}

const COLUMNS = `
  d.dead_letter_id as id, ${momentText('d.received_at')} as "receivedAt", d.device_id as "deviceId", d.event_id as "eventId",
  d.code, d.error, octet_length(d.payload) as "payloadBytes",
  coalesce((
    select coalesce(h.outcome, h.action) from dead_letter_history h
    where h.dead_letter_id = d.dead_letter_id order by h.history_id desc limit 1), 'new') as state`

const NEWEST_FIRST = `
select ${COLUMNS} from dead_letters d
where ${MATCHES} and ($7::bigint is null or d.dead_letter_id < $7)
order by d.dead_letter_id desc limit $8`

/** By keyset, so that the thousandth page costs as much as the first. */
export async function listLetters(
  database: ClientBase,
  filter: LetterFilter,
  { after, limit }: Page,
): Promise<readonly LetterSummary[]> {
  const values = [...filterValues(filter), after ?? null, limit]
  return (await database.query<LetterSummary>(NEWEST_FIRST, values)).rows
}

/** Dead letters of one device and code that were only counted. */
export interface OnlyCounted {
  /** Empty: no device in the topic, or too many devices to count each. */
  readonly deviceId: string
  readonly code: string
  readonly letters: number
  readonly bytes: number
}

const COUNTED = `
select device_id as "deviceId", code, sum(letters)::float8 as letters, sum(bytes)::float8 as bytes
from dead_letters_counted
where ($1::text[] is null or code = any($1))
  and ($2::text[] is null or device_id = any($2))
  and ($3::timestamptz is null or minute >= date_trunc('minute', $3::timestamptz))
  and ($4::timestamptz is null or minute < $4)
group by device_id, code order by sum(letters) desc, device_id, code limit 20`

export async function onlyCounted(
  database: ClientBase,
  { codes, devices, since, until }: LetterFilter,
): Promise<readonly OnlyCounted[]> {
  const values = [codes ?? null, devices ?? null, since ?? null, until ?? null]
  return (await database.query<OnlyCounted>(COUNTED, values)).rows
}
