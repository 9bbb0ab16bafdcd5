import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'

/** Per lock. A statement that waits for a table lock blocks all later statements on that table, even inserts. */
export const LOCK_TIMEOUT = '3s'
/** Pause between two tries, so that waiting statements can proceed. */
const PAUSE_MS = 1_000

/** SQLSTATE (PostgreSQL manual, appendix A). */
const [LOCK_NOT_AVAILABLE, INTERNAL_ERROR] = ['55P03', 'XX000']

/**
 * Changes the schema in one transaction that waits for no lock longer than three seconds: after that it releases all
 * its locks, lets others proceed, and tries again.
 *
 * @param onBusy called after each try that did not get its locks
 */
export async function givingWay(
  client: pg.Client,
  work: () => Promise<unknown>,
  onBusy: () => void,
): Promise<void> {
  while (!(await didWork(client, work))) {
    onBusy()
    await delay(PAUSE_MS)
  }
}

async function didWork(client: pg.Client, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await client.query('begin')
    await client.query(`set local lock_timeout = '${LOCK_TIMEOUT}'`)
    await work()
    await client.query('commit')
    return true
  } catch (error) {
    if (!isBusy(error as Error)) throw error
    await client.query('rollback')
    return false
  }
}

/** A grant fails if a concurrent grant on the same object commits first; its message is never translated. */
function isBusy({ code, message }: Error & { readonly code?: string }): boolean {
  return code === LOCK_NOT_AVAILABLE || (code === INTERNAL_ERROR && message.startsWith('tuple concurrently '))
}
