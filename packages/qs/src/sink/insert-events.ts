import type { QueryConfig } from 'pg'
import type { Event } from '../pipeline/message.ts'

/*
 * A batch that is not copied goes to PostgreSQL as one JSON text, read by json_to_recordset. Compared with unnest of
 * twelve arrays it costs a third of the Node CPU and is as fast in the server; docs/decisions has the figures. `json`,
 * not `jsonb`: numbers pass as text, so -0 and all digits survive.
 */

/** The columns of `events`, in the order used by COPY and INSERT. */
export const EVENT_COLUMNS = `event_id, device_id, event_type, value_num, value_text, unit,
  ts, ts_device, ts_device_local, ts_device_raw, ts_server, schema, meta, value_exact`

/** The input rows, with the short column names of the JSON text. */
export const EVENT_INPUT = `json_to_recordset($1::json) as i(
  id text, device text, type text, num double precision, txt text, unit text,
  ts timestamptz, dev timestamptz, local timestamp, raw text, srv timestamptz, schema smallint, meta jsonb, exact text)`

/** An event and the server time of its message. */
export interface EventRow {
  readonly event: Event
  readonly tsServer: string
}

/** The insertion order: two writers with the same ids wait for each other and do not deadlock. */
export function byId({ event: { eventId: one } }: EventRow, { event: { eventId: other } }: EventRow): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** The rows as one JSON array. Null fields are omitted: an absent key reads as null. */
export function eventRowsJson(rows: readonly EventRow[]): string {
  let json = '['
  for (const { event, tsServer } of rows) {
    json += `${json.length === 1 ? '' : ','}{"id":${JSON.stringify(event.eventId)},"device":${JSON.stringify(event.deviceId)}`
    json += `,"type":${JSON.stringify(event.eventType)},"ts":"${event.ts}","srv":"${tsServer}","schema":${event.schema}`
    if (event.valueNum !== null) json += `,"num":${Object.is(event.valueNum, -0) ? '-0' : event.valueNum}`
    if (event.valueText !== null) json += `,"txt":${JSON.stringify(event.valueText)}`
    if (event.unit !== null) json += `,"unit":${JSON.stringify(event.unit)}`
    if (event.tsDevice !== null) json += `,"dev":"${event.tsDevice}"`
    if (event.tsDeviceLocal !== null) json += `,"local":"${event.tsDeviceLocal}"`
    if (event.tsDeviceRaw !== null) json += `,"raw":${JSON.stringify(event.tsDeviceRaw)}`
    if (event.meta !== null) json += `,"meta":${event.meta}`
    if (event.valueExact !== null) json += `,"exact":"${event.valueExact}"`
    json += '}'
  }
  return `${json}]`
}

/**
 * Returns null if all rows are new, which is the common case and costs nothing to read; otherwise the new ids. The rows
 * are sorted by id, so that two writers with the same ids wait and do not deadlock.
 */
const SQL = `
with inserted as (
  insert into events (${EVENT_COLUMNS})
  select id, device, type, num, txt, unit, ts, dev, local, raw, srv, schema, meta, exact
  from ${EVENT_INPUT}
  on conflict (event_id) do nothing
  returning event_id
)
select case when (select count(*) from inserted) < $2 then array(select event_id from inserted) end as new_ids`

/** @param rows with distinct event_ids, sorted by event_id */
export function insertEvents(rows: readonly EventRow[]): QueryConfig {
  return { name: 'insert-events', text: SQL, values: [eventRowsJson(rows), rows.length] }
}
