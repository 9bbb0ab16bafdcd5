import type { ClientBase } from 'pg'
import { filterValues, type LetterFilter, MATCHES } from './letter-filter.ts'

/** A dead letter as it would be replayed. */
export interface ReplayableLetter {
  readonly id: string
  readonly topic: string
  readonly code: string
  /** RFC 3339 in UTC, with microseconds. */
  readonly receivedAt: string
  /** After its last repair, or as received. */
  readonly payload: Buffer
  /** The device set by a repair. */
  readonly repairedDeviceId: string | null
  readonly isDone: boolean
}

/** Pages are also limited in bytes, since each letter may be as large as a packet of the broker. */
const [PAGE_LETTERS, PAGE_BYTES] = [100, 4 * 1024 * 1024]

const SQL = `
with page as (
  select id, sum(bytes) over (order by id) - bytes as before from (
    select d.dead_letter_id as id, octet_length(d.payload) as bytes from dead_letters d
    where ${MATCHES} and d.dead_letter_id > $7 and d.dead_letter_id <= $8
    order by d.dead_letter_id limit ${PAGE_LETTERS}) p)
select
  d.dead_letter_id as id, d.topic, d.code,
  to_char(d.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "receivedAt",
  coalesce(r.payload, d.payload) as payload, r.device_id as "repairedDeviceId",
  exists (
    select from dead_letter_history h
    where h.dead_letter_id = d.dead_letter_id and h.outcome in ('stored', 'duplicate')) as "isDone"
from dead_letters d
left join lateral (
  select payload, device_id from dead_letter_history h
  where h.dead_letter_id = d.dead_letter_id and h.action = 'repaired'
  order by h.history_id desc limit 1) r on true
where d.dead_letter_id in (select id from page where before < ${PAGE_BYTES})
order by d.dead_letter_id`

/** The last letter of a run; letters that arrive later, perhaps from the run itself, are not part of it. */
const NEWEST = 'select coalesce(max(dead_letter_id), 0)::text as id from dead_letters'

export async function newestLetterId(database: ClientBase): Promise<string> {
  return (await database.query<{ id: string }>(NEWEST)).rows[0]?.id ?? '0'
}

/** Letters that match a filter, after `from` and up to an id, oldest first. */
export async function* takeLetters(
  database: ClientBase,
  filter: LetterFilter,
  upTo: string,
  from = '0',
): AsyncGenerator<readonly ReplayableLetter[]> {
  for (let after = from; ; ) {
    const values = [...filterValues(filter), after, upTo]
    const { rows } = await database.query<ReplayableLetter>(SQL, values)
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)?.id ?? upTo
  }
}
