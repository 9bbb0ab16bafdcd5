import type { Overview } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'

/** The minute that is not over and the one before: so much is behind it that a quiet second is no quiet minute. */
const SQL = `
select coalesce(sum(stored), 0)::float8 / extract(epoch from now() - date_trunc('minute', now()) + interval '1 minute')::float8
  as "eventsPerSecond"
from ingest_stats where minute >= date_trunc('minute', now()) - interval '1 minute'`

/** The rate as the minutes of the ingesters tell it. */
export async function storedLately(ask: Ask): Promise<Pick<Overview, 'eventsPerSecond' | 'rateSeconds'>> {
  const [row] = await ask.query<{ eventsPerSecond: number }>(SQL)
  return { eventsPerSecond: row?.eventsPerSecond ?? 0, rateSeconds: 60 }
}
