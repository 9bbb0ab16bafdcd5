import type { ClientBase } from 'pg'
import { type Finding, ok, warning } from './finding.ts'

const SQL = `
select (select max(minute) from ingest_stats) as last,
  (select count(*)::int from dead_letters where received_at > now() - interval '1 day') as letters,
  (select coalesce(sum(letters), 0)::float8 from dead_letters_counted where minute > now() - interval '1 day') as counted`

/** When events last arrived, and how many were rejected. */
export async function* checkActivity(database: ClientBase): AsyncGenerator<Finding> {
  const [row] = (await database.query<{ last: Date | null; letters: number; counted: number }>(SQL)).rows
  const { last, letters, counted } = row ?? { last: null, letters: 0, counted: 0 }
  yield ok('events', last === null ? 'none yet' : `last received in the minute ${last.toISOString()}`)
  yield letters + counted === 0
    ? ok('dead letters', 'none in the last day')
    : warning(
        'dead letters',
        `${letters} in the last day${counted > 0 ? `, and ${counted} only counted` : ''}`,
        'qs deadletter ls --since 1d',
      )
}
