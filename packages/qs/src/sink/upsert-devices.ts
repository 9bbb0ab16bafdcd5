import type { QueryConfig } from 'pg'

export interface DeviceSeen {
  readonly deviceId: string
  readonly firstSeen: string
  readonly lastSeen: string
}

/** The devices that a killed ingester had not yet written, from the rows of `series`. */
const OWED = `(
  select device_id, min(first_seen), max(last_seen) from series group by device_id
) as d("deviceId", "firstSeen", "lastSeen")`
const IS_OWED = `not exists (select from devices w where w.device_id = d."deviceId" and w.last_seen >= d."lastSeen")`

const GIVEN = `json_to_recordset($1::json) as d("deviceId" text, "firstSeen" timestamptz, "lastSeen" timestamptz)`

/**
 * Columns set by users (label, time_zone, room, silent_after_set) are never changed. Rhythm and summary come from the
 * series at this point of the transaction.
 */
const upsert = (seen: string, condition: string) => `
insert into devices (device_id, first_seen, last_seen, types, clock, clock_offset)
select "deviceId", "firstSeen", "lastSeen", r.types, r.clock, r.clock_offset
from ${seen}
cross join lateral summary_of(d."deviceId") r
where ${condition}
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

const UPSERT_GIVEN = upsert(GIVEN, 'true')
const RECOVER: QueryConfig = { name: 'recover-devices', text: upsert(OWED, IS_OWED) }

export function upsertDevices(devices: readonly DeviceSeen[]): QueryConfig {
  return { name: 'upsert-devices', text: UPSERT_GIVEN, values: [JSON.stringify(devices)] }
}

/**
 * For devices whose series are newer than their row. Reads all of `series`: with 20,000 devices and 100,000 series 0.08 s
 * if no row is behind, 0.9 s if 15,000 are.
 */
export function recoverDevices(): QueryConfig {
  return RECOVER
}
