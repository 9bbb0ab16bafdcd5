import type { ClientBase } from 'pg'
import { filterValues, type LetterFilter, MATCHES } from './letter-filter.ts'

const SQL = `select count(*)::int as count from dead_letters d where ${MATCHES} and d.dead_letter_id <= $7`

/** Number of letters that match a filter, up to an id. */
export async function countLetters(
  database: ClientBase,
  filter: LetterFilter,
  upTo: string,
): Promise<number> {
  const { rows } = await database.query<{ count: number }>(SQL, [...filterValues(filter), upTo])
  return rows[0]?.count ?? 0
}
