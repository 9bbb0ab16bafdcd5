import { contentOf, type Letter } from '../checker.ts'

/** Everything in `events` that comes from the device, bit for bit, and the commit time in Unix ms. */
export const EVENT_COLUMNS = `
  e.event_id, e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.meta,
  to_char(e.ts_device at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ts_device,
  extract(epoch from pg_xact_commit_timestamp(e.xmin))::float8 * 1000 as committed_ms`

export interface EventRow {
  readonly event_id: string
  readonly device_id: string
  readonly event_type: string
  readonly value_num: number | null
  readonly value_text: string | null
  readonly unit: string | null
  readonly meta: unknown
  readonly ts_device: string | null
  readonly committed_ms: number
}

export function contentOfRow(row: EventRow): string {
  return contentOf({
    deviceId: row.device_id,
    eventType: row.event_type,
    valueNum: row.value_num,
    valueText: row.value_text,
    unit: row.unit,
    tsDevice: row.ts_device,
    meta: row.meta,
  })
}

export const LETTER_COLUMNS = `
  l.dead_letter_id::text, l.device_id, l.event_id, l.code, l.payload,
  extract(epoch from pg_xact_commit_timestamp(l.xmin))::float8 * 1000 as committed_ms`

export interface LetterRow {
  readonly dead_letter_id: string
  readonly device_id: string
  readonly event_id: string | null
  readonly code: string
  readonly payload: Buffer
  readonly committed_ms: number
}

export function letterOfRow({ device_id, event_id, code, payload }: LetterRow): Letter {
  return { deviceId: device_id, eventId: event_id, code, payload: payload.toString() }
}
