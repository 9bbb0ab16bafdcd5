import type { Sparklines } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import type { SeriesName } from './series.ts'

const BUCKETS = 30

/** Series drawn per device: as many as a list of few devices shows. */
const MAX_EACH = 32

/** Mean values of consecutive intervals, in the unit of the newest reading; null for an interval without one. */
const SQL = `
select s.device_id as "deviceId", s.event_type as "eventType", m.means
from unnest($1::text[]) as d(device_id)
cross join lateral (
  select * from series x where x.device_id = d.device_id and x.value_num is not null and x.ts >= $2
  order by x.event_type limit ${MAX_EACH}) s
cross join lateral (
  select array_agg(x.total / x.events order by b.n) as means, count(x.at) as filled
  from generate_series(0, $4::int - 1) as b(n)
  left join event_numbers(s.device_id, s.event_type, $2, $2::timestamptz + $4 * $3::interval, $3, $2) x
    on x.at = $2 + b.n * $3::interval and x.unit = coalesce(s.unit, '')) m
where m.filled > 0
order by 1, 2`

interface Row extends SeriesName {
  readonly means: (number | null)[]
}

export async function sparklines(
  ask: Ask,
  { devices, from, to }: { readonly devices: readonly string[]; readonly from: Date; readonly to: Date },
): Promise<Sparklines> {
  const piece = `${(to.getTime() - from.getTime()) / BUCKETS} milliseconds`
  const lines = await ask.query<Row>(SQL, [devices, from, piece, BUCKETS])
  return { from: from.toISOString(), to: to.toISOString(), lines: [...lines] }
}
