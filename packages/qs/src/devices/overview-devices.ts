import type { Overview } from '@qs-telemetry/protocol/api'
import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'
import { QsError } from '../errors/qs-error.ts'
import { IS_ARCHIVED, STATUS } from './device-filter.ts'
import { MAX_SERIES } from './series.ts'

/** Devices named in each list. The totals count all. */
const MAX_NAMED = 20

const NOTE = `json_build_object('deviceId', device_id, 'label', label, 'lastSeen', ${momentText('last_seen')},
    'firstSeen', ${momentText('first_seen')})`

/**
 * `devices` holds the silence of devices and series, so one scan suffices regardless of the number of series. Names of
 * silent series are looked up by the key of `series`, only for the devices shown.
 */
const SQL = `
with judged as materialized (
  select device_id, label, first_seen, last_seen, first_seen > now() - interval '1 day' as is_fresh, silent_series,
    ${STATUS} as status
  from devices where not ${IS_ARCHIVED}
), partly as materialized (
  select device_id, label, last_seen from judged
  where silent_series > 0 and status <> 'silent' order by last_seen desc, device_id limit ${MAX_NAMED}
)
select
  count(*)::int as total,
  (count(*) filter (where status = 'online'))::int as online,
  (count(*) filter (where status = 'quiet'))::int as quiet,
  (count(*) filter (where status = 'silent'))::int as "silentTotal",
  (count(*) filter (where is_fresh))::int as "freshTotal",
  coalesce(sum(silent_series) filter (where status <> 'silent'), 0)::int as "silentSeriesTotal",
  array(select ${NOTE} from judged where status = 'silent' order by last_seen desc, device_id limit ${MAX_NAMED}) as silent,
  array(select ${NOTE} from judged where is_fresh order by first_seen desc, device_id limit ${MAX_NAMED}) as fresh,
  array(
    select json_build_object('deviceId', p.device_id, 'eventType', s.event_type, 'label', p.label,
      'lastSeen', ${momentText('s.last_seen')})
    from partly p cross join lateral (select * from series x where x.device_id = p.device_id limit ${MAX_SERIES}) s
    where is_series_silent(s.last_seen, s.silent_after, p.last_seen)
      and s.last_seen > now() - interval '7 days'
    order by s.last_seen desc limit ${MAX_NAMED}) as "silentSeries"
from judged`

/** Number of devices by status, with examples; the size of the answer does not grow with the fleet. */
export async function overviewDevices(ask: Ask): Promise<Overview['devices']> {
  const [row] = await ask.query<Overview['devices']>(SQL)
  if (row === undefined) throw new QsError('INTERNAL_ERROR', 'A count without a row')
  return row
}
