import type { ClientBase } from 'pg'

/**
 * A replay that is rejected again leaves a letter of its own, as everything that is rejected does. It is the same
 * letter once more, so it is taken back, and the history of the old one has what became of it. One row: where the
 * device has sent the same bytes meanwhile, that is another letter.
 */
const SQL = `
delete from dead_letters where dead_letter_id = (
  select min(dead_letter_id) from dead_letters where fingerprint = $1 and dead_letter_id > $2)`

export interface FreshLetter {
  readonly fingerprint: string
  /** The newest letter there was before the replay. */
  readonly after: string
}

export async function takeBackLetter(
  database: ClientBase,
  { fingerprint, after }: FreshLetter,
): Promise<void> {
  await database.query(SQL, [fingerprint, after])
}
