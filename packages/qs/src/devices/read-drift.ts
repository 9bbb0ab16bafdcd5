import type { Drift } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { bucketWidth } from './bucket-width.ts'

/** The freshest event of each bucket of event time and series. */
const SQL = `
select extract(epoch from at)::float8 as time, max(ahead) as ahead
from clock_ahead($1, $2, $3, $4)
group by at order by at`

export async function readDrift(
  ask: Ask,
  {
    deviceId,
    from,
    to,
    points,
  }: { readonly deviceId: string; readonly from: string; readonly to: string; readonly points: number },
): Promise<Drift> {
  const bucketSeconds = bucketWidth((Date.parse(to) - Date.parse(from)) / 1000, points)
  const values = [deviceId, from, to, `${bucketSeconds} seconds`]
  const rows = await ask.query<{ time: number; ahead: number }>(SQL, values)
  return {
    from,
    to,
    bucketSeconds,
    times: rows.map(({ time }) => time),
    offset: rows.map(({ ahead }) => ahead),
  }
}
