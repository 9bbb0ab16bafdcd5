import type { ClientBase } from 'pg'
import { filterValues, type LetterFilter, MATCHES } from './letter-filter.ts'

/** Deletes in parts, to keep transactions short. */
const BATCH = 1_000

const SQL = `
delete from dead_letters where dead_letter_id in (
  select d.dead_letter_id from dead_letters d where ${MATCHES} and d.dead_letter_id <= $7 order by d.dead_letter_id limit $8)`

/** Deletes letters up to an id, with their history. Yields the number deleted so far after each part. */
export async function* purgeLetters(
  database: ClientBase,
  filter: LetterFilter,
  upTo: string,
): AsyncGenerator<number> {
  for (let purged = 0; ; ) {
    const { rowCount } = await database.query(SQL, [...filterValues(filter), upTo, BATCH])
    if (!rowCount) return
    purged += rowCount
    yield purged
  }
}
