import type { ClientBase } from 'pg'

/** Selects dead letters; an absent field matches all. */
export interface LetterFilter {
  readonly ids?: readonly string[]
  readonly codes?: readonly string[]
  readonly devices?: readonly string[]
  /** RFC 3339 text, since a Date has only milliseconds. `since` is inclusive, `until` exclusive. */
  readonly since?: string
  readonly until?: string
  /** `open`: not yet replayed successfully. `done`: replayed successfully. */
  readonly state?: 'open' | 'done'
}

/** The filter as a condition on `dead_letters d`, with the parameters $1 to $6. */
export const MATCHES = `
  ($1::bigint[] is null or d.dead_letter_id = any($1))
  and ($2::text[] is null or d.code = any($2))
  and ($3::text[] is null or d.device_id = any($3))
  and ($4::timestamptz is null or d.received_at >= $4)
  and ($5::timestamptz is null or d.received_at < $5)
  and ($6::boolean is null or $6 = exists (
    select from dead_letter_history h
    where h.dead_letter_id = d.dead_letter_id and h.outcome in ('stored', 'duplicate')))`

export function filterValues({ ids, codes, devices, since, until, state }: LetterFilter): unknown[] {
  return [
    ids ?? null,
    codes ?? null,
    devices ?? null,
    since ?? null,
    until ?? null,
    state === undefined ? null : state === 'done',
  ]
}

const COUNT = `select count(*)::int as count from dead_letters d where ${MATCHES} and d.dead_letter_id <= $7`

/** Number of letters that match a filter, up to an id. */
export async function countLetters(
  database: ClientBase,
  filter: LetterFilter,
  upTo: string,
): Promise<number> {
  const { rows } = await database.query<{ count: number }>(COUNT, [...filterValues(filter), upTo])
  return rows[0]?.count ?? 0
}
