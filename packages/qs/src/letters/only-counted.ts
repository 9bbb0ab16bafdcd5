import type { ClientBase } from 'pg'
import type { LetterFilter } from './letter-filter.ts'

/** Dead letters of one device and code that were only counted. */
export interface OnlyCounted {
  /** Empty: no device in the topic, or too many devices to count each. */
  readonly deviceId: string
  readonly code: string
  readonly letters: number
  readonly bytes: number
}

const SQL = `
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
  return (await database.query<OnlyCounted>(SQL, values)).rows
}
