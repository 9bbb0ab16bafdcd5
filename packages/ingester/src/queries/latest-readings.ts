import type { Reading } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { momentText } from './moment-text.ts'

/** The latest of one series, with what it says about the device's clock. */
export interface LatestReading extends Reading {
  readonly deviceId: string
  readonly tsServer: string
  readonly hasDeviceTime: boolean
  readonly isUnreadable: boolean
  readonly isPlausible: boolean
  readonly offsetSeconds: number | null
}

/** The last ten of each series: the newest is the reading, their spacing is the rhythm. */
const SQL = `
select
  s.device_id as "deviceId", s.event_type as "eventType", l.value_num as "valueNum",
  left(l.value_text, 200) as "valueText", l.unit, ${momentText('l.ts')} as ts, ${momentText('l.ts_server')} as "tsServer",
  l.ts_device is not null as "hasDeviceTime", l.ts_device_raw is not null as "isUnreadable",
  coalesce(l.ts = l.ts_device, false) as "isPlausible",
  extract(epoch from l.ts_device - l.ts_server)::float8 as "offsetSeconds",
  extract(epoch from l.ts - l.oldest)::float8 / nullif(l.n - 1, 0) as "everySeconds"
from event_series($1) s
cross join lateral (
  select *, count(*) over () as n, min(ts) over () as oldest from newest_events(s.device_id, s.event_type, 10)
  limit 1) l
order by 1, 2`

export function latestReadings(ask: Ask, devices: readonly string[]): Promise<readonly LatestReading[]> {
  return ask.query<LatestReading>(SQL, [devices])
}
