import { utcText } from '@qs-telemetry/protocol'
import type { EventPage, StoredEvent } from '@qs-telemetry/protocol/api'
import { momentText } from '../../database/moment-text.ts'
import type { Ask } from '../../database/query-pool.ts'
import { type Measured, withinBytes } from './within-bytes.ts'

export interface EventQuestion {
  /** Events of this device, by event time; absent: of all devices, by server time. */
  readonly deviceId?: string
  readonly eventTypes?: readonly string[]
  /** RFC 3339 text, since a Date has only milliseconds. `from` is inclusive, `to` exclusive. */
  readonly from?: string
  readonly to?: string
  /** Only events with a text value. */
  readonly onlyTexts?: boolean
  /** `next` of the previous page. */
  readonly after?: Cursor
  readonly limit: number
}

type Row = StoredEvent & Measured & { readonly at: unknown }

export interface Cursor {
  readonly ts: string
  readonly eventId: string
}

/** Columns of `events e` in the API. */
const EVENT_COLUMNS = `
  e.event_id as "eventId", e.device_id as "deviceId", e.event_type as "eventType", e.value_num as "valueNum",
  e.value_text as "valueText", nullif(e.value_exact, '') as "valueExact", e.unit, ${momentText('e.ts')} as ts, ${momentText('e.ts_device')} as "tsDevice",
  e.ts_device_raw as "tsDeviceRaw", ${momentText('e.ts_server')} as "tsServer", e.meta`

/** Estimated size of an event as JSON: control characters take six bytes each, ids and times about 500. */
const EVENT_BYTES = `(
  500 + coalesce(octet_length(to_json(e.value_text)::text), 0) + coalesce(octet_length(to_json(e.ts_device_raw)::text), 0)
  + coalesce(octet_length(e.meta::text), 0) + coalesce(octet_length(e.value_exact), 0))`

const ORDER = 'at desc, "eventId" collate "C" desc'

/** By keyset in index order, so that the thousandth page costs as much as the first. */
const OF_ALL = withinBytes(
  `
select ${EVENT_COLUMNS}, e.ts_server as at, ${EVENT_BYTES} as bytes
from newest_arrivals($5, coalesce($1::timestamptz, '-infinity'), coalesce($3::timestamptz, $2, 'infinity'),
  case when $3::timestamptz is null then '' else $4 end, $6, $7) e`,
  ORDER,
)

/** The newest events of each series, merged. */
const OF_DEVICE = withinBytes(
  `
select ${EVENT_COLUMNS}, e.ts as at, ${EVENT_BYTES} as bytes from event_series($8) s
cross join lateral newest_events(s.device_id, s.event_type, $5, coalesce($1::timestamptz, '-infinity'), coalesce($3::timestamptz, $2, 'infinity'),
  case when $3::timestamptz is null then '' else $4 end, only_texts => $7) e
where $6::text[] is null or s.event_type = any($6)
order by e.ts desc, e.event_id collate "C" desc limit $5`,
  ORDER,
)

/** A page also ends at a limit in bytes; `next` continues from there. */
export async function listEvents(ask: Ask, question: EventQuestion): Promise<EventPage> {
  const { deviceId, eventTypes, from, to, onlyTexts = false, after, limit } = question
  const bounds = [from ?? null, to ?? null, after?.ts ?? null, after?.eventId ?? null]
  // One extra row shows whether there is a next page.
  const values = [...bounds, limit + 1, eventTypes ?? null, onlyTexts]
  const rows =
    deviceId === undefined
      ? await ask.query<Row>(OF_ALL, values)
      : await ask.query<Row>(OF_DEVICE, [...values, [deviceId]])
  const events = rows.slice(0, limit).map(withoutMeasure)
  const last = events.at(-1)
  const isMore = last !== undefined && (rows[0]?.pageRows ?? 0) > events.length
  const ts = deviceId === undefined ? last?.tsServer : last?.ts
  return { events: [...events], next: isMore ? writeCursor({ ts: ts ?? '', eventId: last.eventId }) : null }
}

function withoutMeasure({ at, bytes, pageRows, bytesBefore, ...event }: Row): StoredEvent {
  return event
}

function writeCursor({ ts, eventId }: Cursor): string {
  return Buffer.from(JSON.stringify([ts, eventId])).toString('base64url')
}

/** Null if the cursor is invalid. A time that PostgreSQL could not parse would be a server error. */
export function readCursor(text: string): Cursor | null {
  try {
    const [ts, eventId] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (typeof ts !== 'string' || typeof eventId !== 'string' || utcText(ts) !== ts) return null
    return { ts, eventId }
  } catch {
    return null
  }
}
