import type { ClientBase } from 'pg'

/**
 * A replay that is rejected again creates another dead letter with the same content. It is deleted, and the outcome is
 * in the history of the old one. One row only: if the device sent the same bytes in the meantime, that is a separate
 * letter.
 */
const SQL = `
delete from dead_letters where dead_letter_id = (
  select min(dead_letter_id) from dead_letters where fingerprint = $1 and dead_letter_id > $2)`

export interface FreshLetter {
  readonly fingerprint: string
  /** The newest letter before the replay. */
  readonly after: string
}

export async function takeBackLetter(
  database: ClientBase,
  { fingerprint, after }: FreshLetter,
): Promise<void> {
  await database.query(SQL, [fingerprint, after])
}
