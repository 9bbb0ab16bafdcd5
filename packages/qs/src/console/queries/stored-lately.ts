import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'

/** The current minute and the previous one, so that the rate does not drop to zero at the start of a minute. */
const SQL = `
select coalesce(sum(stored), 0)::float8 / extract(epoch from now() - date_trunc('minute', now()) + interval '1 minute')::float8
  as "eventsPerSecond"
from ingest_stats where minute >= date_trunc('minute', now()) - interval '1 minute'`

/** The rate from the ingesters' statistics per minute. */
export async function storedLately(ask: Ask): Promise<Pick<Overview, 'eventsPerSecond' | 'rateSeconds'>> {
  const [row] = await ask.query<{ eventsPerSecond: number }>(SQL)
  return { eventsPerSecond: row?.eventsPerSecond ?? 0, rateSeconds: 60 }
}
