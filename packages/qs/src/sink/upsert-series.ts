import type { QueryConfig } from 'pg'
import type { ChangesByDevice } from './series-changes.ts'

/** Characters of a text value kept in `series`, for lists. The row is rewritten with every batch. */
const SHOWN_CHARACTERS = 200

const NEWEST = [
  'ts',
  'event_id',
  'value_num',
  'value_text',
  'unit',
  'ts_device',
  'ts_device_readable',
  'ts_server',
]

/** Each new event weighs a tenth, so that the last ten account for two thirds of the average. */
const GAP = 'extract(epoch from excluded.ts - s.ts)::float8 / excluded.events'
const EVERY = `case
    when excluded.ts <= s.ts then s.every_seconds
    when s.every_seconds is null then ${GAP}
    else s.every_seconds + (${GAP} - s.every_seconds) * (1 - power(0.9, least(excluded.events, 50))) end`

/**
 * Events within twenty seconds after an arrival belong to it. A replay with an earlier time is not an arrival; arrivals
 * start over only after the server clock was ahead.
 */
const IS_ARRIVAL = `excluded.arrived_at - s.arrived_at >= interval '20 seconds'`
const ARRIVAL_GAP = 'extract(epoch from excluded.arrived_at - s.arrived_at)'

/** Ordered by key, so that two writers with the same series wait and do not deadlock. */
const SQL = `
insert into series as s
  (device_id, event_type, events, first_ts, first_seen, last_seen, arrived_at, every_seconds, ${NEWEST.join(', ')})
select device, type, n, first, seen, last, case when $2::boolean then null else seen end,
  extract(epoch from ts - first)::float8 / nullif(n - 1, 0),
  ts, id, num, txt, unit, dev, raw is null, srv
from json_to_recordset($1::json) as i(
  device text, type text, n bigint, first timestamptz, seen timestamptz, last timestamptz,
  ts timestamptz, id text, num double precision, txt text, unit text, dev timestamptz, raw int, srv timestamptz)
order by device collate "C", type collate "C"
on conflict (device_id, event_type) do update set
  events = s.events + excluded.events,
  first_ts = least(s.first_ts, excluded.first_ts),
  first_seen = least(s.first_seen, excluded.first_seen),
  last_seen = greatest(s.last_seen, excluded.last_seen),
  arrived_at = case when s.arrived_at is null or s.arrived_at > now() or ${IS_ARRIVAL}
    then excluded.arrived_at else s.arrived_at end,
  gaps = case when ${IS_ARRIVAL} then next_gaps(s.gaps, ${ARRIVAL_GAP}) else s.gaps end,
  pauses = case when ${IS_ARRIVAL} then next_pauses(s.pauses, s.gaps, s.arrived_at, excluded.arrived_at) else s.pauses end,
  silent_after = case when ${IS_ARRIVAL}
    then next_silent_after(s.silent_after, s.gaps, s.pauses, s.arrived_at, excluded.arrived_at) else s.silent_after end,
  every_seconds = ${EVERY},
  ${NEWEST.map((column) => `${column} = case when (excluded.ts, excluded.event_id) > (s.ts, s.event_id) then excluded.${column} else s.${column} end`).join(',\n  ')}`

/**
 * @param changes not empty
 * @param isHistory the events are imported: they were seen when they were measured, and are no arrivals
 */
export function upsertSeries(changes: ChangesByDevice, isHistory = false): QueryConfig {
  return { name: 'upsert-series', text: SQL, values: [rowsJson(changes, isHistory), isHistory] }
}

/** Null fields are omitted: an absent key reads as null. */
function rowsJson(changes: ChangesByDevice, isHistory: boolean): string {
  let json = '['
  for (const [deviceId, types] of changes) {
    const device = JSON.stringify(deviceId)
    for (const [eventType, { events, firstTs, firstSeen, lastSeen, newest, newestServer }] of types) {
      json += `${json.length === 1 ? '' : ','}{"device":${device},"type":${JSON.stringify(eventType)},"n":${events}`
      json += `,"first":"${firstTs}","seen":"${isHistory ? firstTs : firstSeen}"`
      json += `,"last":"${isHistory ? newest.ts : lastSeen}","ts":"${newest.ts}"`
      json += `,"id":${JSON.stringify(newest.eventId)},"srv":"${isHistory ? newest.ts : newestServer}"`
      if (newest.valueNum !== null)
        json += `,"num":${Object.is(newest.valueNum, -0) ? '-0' : newest.valueNum}`
      if (newest.valueText !== null) json += `,"txt":${JSON.stringify(shown(newest.valueText))}`
      if (newest.unit !== null) json += `,"unit":${JSON.stringify(newest.unit)}`
      if (newest.tsDevice !== null) json += `,"dev":"${newest.tsDevice}"`
      if (newest.tsDeviceRaw !== null) json += ',"raw":1'
      json += '}'
    }
  }
  return `${json}]`
}

/** Counts characters as PostgreSQL does: a surrogate pair is one character and is never split. */
function shown(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return text
  return Array.from(text.slice(0, 2 * SHOWN_CHARACTERS))
    .slice(0, SHOWN_CHARACTERS)
    .join('')
}
