import type { ClientBase } from 'pg'
import { ADVISORY_LOCKS } from '../database/advisory-locks.ts'

/**
 * Runs `work` on the numbers by the hour in one transaction, unless another ingester is working on them.
 *
 * @returns null if another ingester holds the lock
 */
export async function inTurn<T>(
  database: ClientBase,
  work: (database: ClientBase) => Promise<T>,
): Promise<T | null> {
  await database.query('begin')
  try {
    const { rows } = await database.query<{ mine: boolean }>('select pg_try_advisory_xact_lock($1) as mine', [
      ADVISORY_LOCKS.hours,
    ])
    const result = rows[0]?.mine ? await work(database) : null
    await database.query('commit')
    return result
  } catch (error) {
    await database.query('rollback').catch(() => {})
    throw error
  }
}
