import type { ClientBase } from 'pg'
import { type Finding, ok, warning } from './finding.ts'

const SQL = `
select (select max(minute) from ingest_stats) as last,
  (select count(*)::int from dead_letters where received_at > now() - interval '1 day') as letters,
  (select coalesce(sum(letters), 0)::float8 from dead_letters_counted where minute > now() - interval '1 day') as counted`

/** What came in, and what was refused of it. */
export async function* checkActivity(database: ClientBase): AsyncGenerator<Finding> {
  const [row] = (await database.query<{ last: Date | null; letters: number; counted: number }>(SQL)).rows
  const { last, letters, counted } = row ?? { last: null, letters: 0, counted: 0 }
  yield ok('events', last === null ? 'none yet' : `the last came in the minute of ${last.toISOString()}`)
  yield letters + counted === 0
    ? ok('dead letters', 'none within a day')
    : warning(
        'dead letters',
        `${letters} within a day${counted > 0 ? `, and ${counted} that were only counted` : ''}`,
        'qs deadletter ls --since 1d',
      )
}
