import { momentText } from '../../database/moment-text.ts'

/** A row of `events e`, as the API tells it. */
export const EVENT_COLUMNS = `
  e.event_id as "eventId", e.device_id as "deviceId", e.event_type as "eventType", e.value_num as "valueNum",
  e.value_text as "valueText", nullif(e.value_exact, '') as "valueExact", e.unit, ${momentText('e.ts')} as ts, ${momentText('e.ts_device')} as "tsDevice",
  e.ts_device_raw as "tsDeviceRaw", ${momentText('e.ts_server')} as "tsServer", e.meta`

/** What an event takes as JSON, about: control characters take six bytes each, ids and times the rest. */
export const EVENT_BYTES = `(
  500 + coalesce(octet_length(to_json(e.value_text)::text), 0) + coalesce(octet_length(to_json(e.ts_device_raw)::text), 0)
  + coalesce(octet_length(e.meta::text), 0) + coalesce(octet_length(e.value_exact), 0))`
