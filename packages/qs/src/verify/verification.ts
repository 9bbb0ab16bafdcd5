import type { DeviceAck } from '@qs-telemetry/protocol'
import type { DatabaseClient } from '../database/open-client.ts'

export interface SentEvent {
  readonly eventId: string
  readonly value: number
  readonly seq: number
}

/** What the device of an event learns of it: from its device ack, or from the PUBACK of qs up. */
export type Answer = Pick<DeviceAck, 'event_id' | 'status'>

/** Acked events compared with the database. Lists contain event ids. */
export interface Verification {
  readonly ok: boolean
  readonly sent: number
  readonly acked: number
  readonly stored: number
  /** Acked as stored or duplicate, but not in the database: the promise is broken. */
  readonly missing: readonly string[]
  /** In the database with other content. */
  readonly changed: readonly string[]
  readonly rejected: readonly string[]
  /** No answer in time. The contract holds, but something blocks the flow. */
  readonly unacked: readonly string[]
}

/** The same for a device that trusts the PUBACK; `acked` counts PUBACKs. */
export interface PubackVerification extends Verification {
  /** Ids with a PUBACK whose row was not yet visible. */
  readonly early: readonly string[]
}

export async function compareWithDatabase(
  database: DatabaseClient,
  sent: readonly SentEvent[],
  answers: readonly Answer[],
): Promise<Verification> {
  const { rows } = await database.query<{ event_id: string; value_num: number; seq: number }>(
    `select event_id, value_num, (meta->>'seq')::int as seq from events where event_id = any($1)`,
    [sent.map(({ eventId }) => eventId)],
  )
  const found = new Map(rows.map((row) => [row.event_id, row]))
  const acked = new Map(answers.map(({ event_id: eventId, status }) => [eventId, status]))
  const idsWhere = (test: (event: SentEvent) => boolean) => sent.filter(test).map(({ eventId }) => eventId)

  const unacked = idsWhere(({ eventId }) => !acked.has(eventId))
  const rejected = idsWhere(({ eventId }) => acked.get(eventId) === 'rejected')
  const missing = idsWhere(
    ({ eventId }) => acked.has(eventId) && acked.get(eventId) !== 'rejected' && !found.has(eventId),
  )
  const changed = idsWhere(({ eventId, value, seq }) => {
    const row = found.get(eventId)
    return row !== undefined && (row.value_num !== value || row.seq !== seq)
  })
  const ok = [unacked, rejected, missing, changed].every((ids) => ids.length === 0)
  return { ok, sent: sent.length, acked: acked.size, stored: found.size, missing, changed, rejected, unacked }
}
