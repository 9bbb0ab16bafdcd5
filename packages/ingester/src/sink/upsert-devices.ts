import type { QueryConfig } from 'pg'

export interface DeviceSeen {
  readonly deviceId: string
  readonly firstSeen: string
  readonly lastSeen: string
}

/**
 * What a person sets (label, time_zone, room, silent_after_set) is never touched. Rhythm and summary are those of the series
 * with this batch, or without it where the series are deferred.
 */
const SQL = `
insert into devices (device_id, first_seen, last_seen, types, clock, clock_offset)
select "deviceId", "firstSeen", "lastSeen", r.types, r.clock, r.clock_offset
from json_to_recordset($1::json) as d("deviceId" text, "firstSeen" timestamptz, "lastSeen" timestamptz)
cross join lateral summary_of(d."deviceId") r
order by "deviceId" collate "C"
on conflict (device_id) do update set
  first_seen = least(devices.first_seen, excluded.first_seen),
  last_seen = greatest(devices.last_seen, excluded.last_seen),
  types = excluded.types,
  clock = excluded.clock,
  clock_offset = excluded.clock_offset,
  (silent_after, silent_series) = (
    select r.silent_after, r.silent_series
    from rhythm_of(excluded.device_id, greatest(devices.last_seen, excluded.last_seen)) r)`

export function upsertDevices(devices: readonly DeviceSeen[]): QueryConfig {
  return { name: 'upsert-devices', text: SQL, values: [JSON.stringify(devices)] }
}
