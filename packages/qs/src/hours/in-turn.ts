import type { ClientBase } from 'pg'

/** Any number, the same in all ingesters. */
const LOCK = 7_141_120_232

/**
 * Does something to the numbers by the hour in one transaction. While another ingester is at them it does nothing.
 *
 * @returns null: it was another's turn
 */
export async function inTurn<T>(
  database: ClientBase,
  work: (database: ClientBase) => Promise<T>,
): Promise<T | null> {
  await database.query('begin')
  try {
    const { rows } = await database.query<{ mine: boolean }>('select pg_try_advisory_xact_lock($1) as mine', [
      LOCK,
    ])
    const result = rows[0]?.mine ? await work(database) : null
    await database.query('commit')
    return result
  } catch (error) {
    await database.query('rollback').catch(() => {})
    throw error
  }
}
