import { createHash } from 'node:crypto'
import type { QueryConfig } from 'pg'
import type { Letter } from '../pipeline/letter.ts'

/**
 * A message redelivered after a lost PUBACK, or a batch retried after an unknown COMMIT, may have left its dead letters
 * already: these are not written again. A message that a device sends twice is two messages, and two dead letters.
 */
const SQL = `
insert into dead_letters (received_at, topic, device_id, event_id, code, error, trace, payload, fingerprint)
select received_at, topic, device_id, event_id, code, error, trace, decode(payload, 'base64'), fingerprint
from json_to_recordset($1::json) as l(
  received_at timestamptz, topic text, device_id text, event_id text, code text, error text, trace text,
  payload text, fingerprint uuid, redelivered boolean)
where not (redelivered and exists (select from dead_letters d where d.fingerprint = l.fingerprint))`

export function insertDeadLetters(letters: readonly Letter[]): QueryConfig {
  return { name: 'insert-dead-letters', text: SQL, values: [JSON.stringify(letters.map(row))] }
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
