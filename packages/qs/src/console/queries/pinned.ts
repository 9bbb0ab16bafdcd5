import type { PinnedReading } from '@qs-telemetry/protocol/api'
import { momentText } from '../../database/moment-text.ts'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'

/** The overview queries all of them every two seconds. */
export const MAX_PINNED = 24

const PIN = `
insert into pinned (device_id, event_type)
select $1, $2 where (select count(*) from pinned) < ${MAX_PINNED}
on conflict (device_id, event_type) do nothing`

const IS_PINNED = 'select 1 from pinned where device_id = $1 and event_type = $2'

const UNPIN = 'delete from pinned where device_id = $1 and event_type = $2'

/** One index descent in `series` per reading, regardless of the planner's estimate for `pinned`. */
const LIST = `
select
  p.device_id as "deviceId", p.event_type as "eventType", d.label, d.room, s.value_num as "valueNum",
  s.value_text as "valueText", s.unit, ${momentText('s.ts')} as ts,
  coalesce(is_silent(d.last_seen, coalesce(d.silent_after_set, d.silent_after))
    or is_series_silent(s.last_seen, s.silent_after, d.last_seen), false) as "isSilent"
from pinned p
left join lateral (select * from devices x where x.device_id = p.device_id limit 1) d on true
left join lateral (select * from series x where x.device_id = p.device_id and x.event_type = p.event_type limit 1) s on true
where not is_archived(d.archived_at, d.last_seen)
order by p.pinned_at, p.device_id, p.event_type limit ${MAX_PINNED}`

/** @returns false if the maximum number is pinned */
export async function pinReading(ask: Ask, { deviceId, eventType }: SeriesName): Promise<boolean> {
  await ask.query(PIN, [deviceId, eventType])
  return (await ask.query(IS_PINNED, [deviceId, eventType])).length > 0
}

export async function unpinReading(ask: Ask, { deviceId, eventType }: SeriesName): Promise<void> {
  await ask.query(UNPIN, [deviceId, eventType])
}

/** Pinned readings in the order of pinning, each with its newest value; without those of archived devices. */
export function listPinned(ask: Ask): Promise<readonly PinnedReading[]> {
  return ask.query<PinnedReading>(LIST)
}
