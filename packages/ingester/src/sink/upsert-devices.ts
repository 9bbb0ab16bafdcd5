import type { QueryConfig } from 'pg'

export interface DeviceSeen {
  readonly deviceId: string
  readonly firstSeen: string
  readonly lastSeen: string
}

/**
 * What a person sets (label, time_zone, room, silent_after_set) is never touched. The rhythm is that of the series before
 * this batch.
 */
const SQL = `
insert into devices (device_id, first_seen, last_seen)
select "deviceId", "firstSeen", "lastSeen"
from json_to_recordset($1::json) as d("deviceId" text, "firstSeen" timestamptz, "lastSeen" timestamptz)
order by "deviceId" collate "C"
on conflict (device_id) do update set
  first_seen = least(devices.first_seen, excluded.first_seen),
  last_seen = greatest(devices.last_seen, excluded.last_seen),
  (silent_after, silent_series) = (
    select r.silent_after, r.silent_series from rhythm_of(excluded.device_id, excluded.last_seen) r)`

export function upsertDevices(devices: readonly DeviceSeen[]): QueryConfig {
  return { name: 'upsert-devices', text: SQL, values: [JSON.stringify(devices)] }
}
