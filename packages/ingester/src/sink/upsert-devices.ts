import type { QueryConfig } from 'pg'

export interface DeviceSeen {
  readonly deviceId: string
  readonly firstSeen: string
  readonly lastSeen: string
}

/** time_zone and label belong to people: they are never touched. */
const SQL = `
insert into devices (device_id, first_seen, last_seen)
select "deviceId", "firstSeen", "lastSeen"
from json_to_recordset($1::json) as d("deviceId" text, "firstSeen" timestamptz, "lastSeen" timestamptz)
order by "deviceId" collate "C"
on conflict (device_id) do update set
  first_seen = least(devices.first_seen, excluded.first_seen),
  last_seen = greatest(devices.last_seen, excluded.last_seen)`

export function upsertDevices(devices: readonly DeviceSeen[]): QueryConfig {
  return { name: 'upsert-devices', text: SQL, values: [JSON.stringify(devices)] }
}
