import type { ClockAdvice } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'

/** Zones differ by half hours; a clock that is this far from them drifts, or its event waited. */
const [STEP_SECONDS, TOLERANCE_SECONDS] = [1_800, 120]
/** Events of each type that are looked at: the newest, of which the one that waited least counts, and the oldest. */
const [NEWEST, OLDEST] = [10, 100]

const NEW = `
select s.event_type as "eventType", max(extract(epoch from e.ts_device - e.ts_server))::float8 as ahead,
  max(extract(epoch from e.ts_device_local at time zone 'UTC' - e.ts_server))::float8 as local
from (select * from series where device_id = $1 order by ts_server desc limit 1) s
cross join lateral newest_events(s.device_id, s.event_type, ${NEWEST}) e
where e.ts_device_local is not null group by s.event_type`

/** In the hour that occurs twice, and in the one that does not exist, only one of the two conversions agrees. */
const OLD = `
select from (
  select * from events where device_id = $1 and event_type = $2 and ts >= '-infinity' order by ts limit ${OLDEST}) e
where e.ts_device_local <> e.ts_device at time zone $3::text and e.ts_device <> e.ts_device_local at time zone $3::text limit 1`

/** @param zone the one in which local times of the device are read now */
export async function clockAdvice(ask: Ask, deviceId: string, zone: string): Promise<ClockAdvice> {
  const [newest] = await ask.query<{ eventType: string; ahead: number; local: number }>(NEW, [deviceId])
  if (newest === undefined) return { hoursAhead: 0, zoneMinutes: null, hasOldTimes: false }
  const { eventType, ahead, local } = newest
  const old = await ask.query(OLD, [deviceId, eventType, zone])
  const zoneMinutes = (Math.round(local / STEP_SECONDS) * STEP_SECONDS) / 60
  return { hoursAhead: wholeHours(ahead), zoneMinutes, hasOldTimes: old.length > 0 }
}

/** 0 if it is not nearly a multiple of half an hour, or further off than zones are. */
function wholeHours(seconds: number): number {
  const steps = Math.round(seconds / STEP_SECONDS)
  const isZone = Math.abs(seconds - steps * STEP_SECONDS) <= TOLERANCE_SECONDS && Math.abs(steps) <= 52
  return isZone ? (steps * STEP_SECONDS) / 3_600 : 0
}
