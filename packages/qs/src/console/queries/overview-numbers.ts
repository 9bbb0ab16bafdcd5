import type { Overview } from '@qs-telemetry/protocol/api'
import { momentText } from '../../database/moment-text.ts'
import type { Ask } from '../../database/query-pool.ts'

export type OverviewNumbers = Pick<Overview, 'minutes'> & {
  readonly databaseBytes: number
  readonly letters: Overview['letters']
}

const MINUTES = `
select ${momentText('minute')} as minute, sum(stored)::int as stored, sum(duplicate)::int as duplicate,
  sum(rejected)::int as rejected
from ingest_stats where minute > now() - interval '1 hour' group by ingest_stats.minute order by ingest_stats.minute`

const LETTERS = `
select
  (select count(*)::int from (
    select from dead_letters d
    where not exists (
      select from dead_letter_history h
      where h.dead_letter_id = d.dead_letter_id and h.outcome in ('stored', 'duplicate'))
    limit 1000) o) as open,
  (select count(*)::int from dead_letters where received_at > now() - interval '1 hour') as "lastHour",
  pg_database_size(current_database())::float8 as "databaseBytes"`

const NEWEST = `
select dead_letter_id as id, ${momentText('received_at')} as "receivedAt", device_id as "deviceId", code,
  left(error, 200) as error
from dead_letters order by dead_letter_id desc limit 5`

export async function overviewNumbers(ask: Ask): Promise<OverviewNumbers> {
  const [minutes, [counts], newest] = await Promise.all([
    ask.query<OverviewNumbers['minutes'][number]>(MINUTES),
    ask.query<{ open: number; lastHour: number; databaseBytes: number }>(LETTERS),
    ask.query<OverviewNumbers['letters']['newest'][number]>(NEWEST),
  ])
  const { open = 0, lastHour = 0, databaseBytes = 0 } = counts ?? {}
  return {
    minutes: [...minutes],
    databaseBytes,
    letters: { open, lastHour, newest: [...newest] },
  }
}
