import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { momentText } from './moment-text.ts'
import { RHYTHM, SILENT_AFTER } from './silent-after.ts'

/** Devices that are named in each list. The totals count them all. */
const MAX_NAMED = 20

const NOTE = `json_build_object('deviceId', device_id, 'label', label, 'lastSeen', ${momentText('last_seen')},
    'firstSeen', ${momentText('first_seen')})`

/** The rhythm is looked up only for devices that were quiet for a minute. */
const SQL = `
with judged as materialized (
  select device_id, label, first_seen, last_seen, first_seen > now() - interval '1 day' as is_fresh,
    case when last_seen > now() - interval '${SILENT_AFTER.seconds} seconds' then true
      else extract(epoch from now() - last_seen)
        <= (select ${SILENT_AFTER.beats} * coalesce(rhythm.seconds, 0) from ${RHYTHM}) end as is_online
  from devices d
)
select
  count(*)::int as total,
  (count(*) filter (where is_online))::int as online,
  (count(*) filter (where not is_online))::int as "silentTotal",
  (count(*) filter (where is_fresh))::int as "freshTotal",
  array(select ${NOTE} from judged where not is_online order by last_seen desc, device_id limit ${MAX_NAMED}) as silent,
  array(select ${NOTE} from judged where is_fresh order by first_seen desc, device_id limit ${MAX_NAMED}) as fresh
from judged`

/** How many devices there are and how they do, in an answer of the same size for ten and for ten thousand. */
export async function overviewDevices(ask: Ask): Promise<Overview['devices']> {
  const [row] = await ask.query<Overview['devices']>(SQL)
  return row ?? { total: 0, online: 0, silentTotal: 0, freshTotal: 0, silent: [], fresh: [] }
}
