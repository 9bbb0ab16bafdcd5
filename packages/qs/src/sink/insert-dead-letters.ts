import { createHash } from 'node:crypto'
import type { QueryConfig } from 'pg'
import type { Letter } from '../pipeline/letter.ts'

/**
 * A message redelivered after a lost PUBACK, or a batch retried after an unknown COMMIT, may have left its dead letters
 * already: these are not written again. A message that a device sends twice is two messages, and two dead letters.
 */
const INSERT = `
insert into dead_letters (received_at, topic, device_id, event_id, code, error, trace, payload, fingerprint)
select received_at, topic, device_id, event_id, code, error, trace, decode(payload, 'base64'), fingerprint
from json_to_recordset($1::json) as l(
  received_at timestamptz, topic text, device_id text, event_id text, code text, error text, trace text,
  payload text, fingerprint uuid, redelivered boolean)
where not (redelivered and exists (select from dead_letters d where d.fingerprint = l.fingerprint))`

export function insertDeadLetters(letters: readonly Letter[]): QueryConfig {
  return { name: 'insert-dead-letters', text: INSERT, values: [JSON.stringify(letters.map(row))] }
}

function row(letter: Letter) {
  const { rejection, payload, topic } = letter
  return {
    received_at: letter.receivedAt,
    topic: topic,
    device_id: letter.deviceId,
    event_id: rejection.eventId,
    code: rejection.code,
    error: rejection.message,
    trace: rejection.trace,
    payload: payload.toString('base64'),
    fingerprint: fingerprint(letter),
    redelivered: letter.redelivered,
  }
}

/** Identifies a dead letter that is written again: topic, index and payload. */
export function fingerprint({ topic, index, payload }: Pick<Letter, 'topic' | 'index' | 'payload'>): string {
  return createHash('md5').update(`${topic}\0${index}\0`).update(payload).digest('hex')
}

/** Dead letters that are only counted, of one device and code. */
export interface LetterCount {
  readonly device_id: string
  readonly code: string
  readonly letters: number
  readonly bytes: number
}

/** Ordered by key, so that two writers with the same devices wait and do not deadlock. */
const COUNT = `
insert into dead_letters_counted as c (minute, device_id, code, letters, bytes)
select date_trunc('minute', now()), device_id, code, letters, bytes
from json_to_recordset($1::json) as l(device_id text, code text, letters bigint, bytes bigint)
order by device_id collate "C", code collate "C"
on conflict (minute, device_id, code) do update set
  letters = c.letters + excluded.letters,
  bytes = c.bytes + excluded.bytes`

export function countDeadLetters(counted: readonly LetterCount[]): QueryConfig {
  return { name: 'count-dead-letters', text: COUNT, values: [JSON.stringify(counted)] }
}
