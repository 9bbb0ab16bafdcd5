import type { DeviceGaps } from '@qs-telemetry/protocol/api'
import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'

/** Gaps in one answer; a device has a thousand at most. */
const MOST = 100

/** The kit for boards (device/esp32) reports how many numbers it lost under this type. */
const SQL = `
select g.missing::float8, g.gaps, ${momentText('g.complete_since')} as "completeSince",
  (select s.value_num from series s where s.device_id = g.device_id and s.event_type = 'events_lost') as "reportedLost",
  array(select json_build_object('epoch', x.epoch, 'first', x.first_number, 'last', x.last_number,
      'after', ${momentText('x.after_ts')}, 'before', ${momentText('x.before_ts')})
    from gaps_of(g.device_id) x order by x.before_ts desc, x.first_number desc limit ${MOST}) as list
from device_gaps g where g.device_id = $1`

const UNNUMBERED: DeviceGaps = { missing: null, gaps: 0, completeSince: null, reportedLost: null, list: [] }

/** What is missing of a device, the newest gaps first. */
export async function findGaps(ask: Ask, deviceId: string): Promise<DeviceGaps> {
  const [found] = await ask.query<DeviceGaps>(SQL, [deviceId])
  return found ?? UNNUMBERED
}
