import type { QueryConfig } from 'pg'

/** Dead letters that are only counted, of one device and code. */
export interface LetterCount {
  readonly device_id: string
  readonly code: string
  readonly letters: number
  readonly bytes: number
}

/** Ordered by key, so that two writers with the same devices wait and do not deadlock. */
const SQL = `
insert into dead_letters_counted as c (minute, device_id, code, letters, bytes)
select date_trunc('minute', now()), device_id, code, letters, bytes
from json_to_recordset($1::json) as l(device_id text, code text, letters bigint, bytes bigint)
order by device_id collate "C", code collate "C"
on conflict (minute, device_id, code) do update set
  letters = c.letters + excluded.letters,
  bytes = c.bytes + excluded.bytes`

export function countDeadLetters(counted: readonly LetterCount[]): QueryConfig {
  return { name: 'count-dead-letters', text: SQL, values: [JSON.stringify(counted)] }
}
