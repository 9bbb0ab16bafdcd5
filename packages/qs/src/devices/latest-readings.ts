import type { Reading } from '@qs-telemetry/protocol/api'
import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'

/** The newest reading of one series. */
export interface LatestReading extends Reading {
  readonly deviceId: string
}

/** Reads `series` in key order, so that no more rows per device are read than shown. */
const SQL = `
select
  s.device_id as "deviceId", s.event_type as "eventType", s.value_num as "valueNum", s.value_text as "valueText", s.unit,
  ${momentText('s.ts')} as ts, s.every_seconds as "everySeconds",
  is_series_silent(s.last_seen, s.silent_after, s.device_seen) as "isSilent"
from unnest($1::text[]) as d(device_id)
cross join lateral (
  select x.*, seen.last_seen as device_seen from series x left join devices seen using (device_id)
  where x.device_id = d.device_id order by x.event_type limit $2) s
order by 1, 2`

/** @param each maximum number per device */
export function latestReadings(
  ask: Ask,
  devices: readonly string[],
  each: number,
): Promise<readonly LatestReading[]> {
  return ask.query<LatestReading>(SQL, [devices, each])
}
