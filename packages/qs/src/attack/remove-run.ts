import { setTimeout as delay } from 'node:timers/promises'
import { askClient } from '../database/ask-client.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import { LAST_ROW_MS, removeDevices } from '../devices/remove-devices.ts'

/**
 * Removes all rows of a run after its devices have disconnected, twice: the ingester still writes their last-seen time,
 * which recreates their rows in `devices`, and commits what a flood has left in flight.
 *
 * @throws the error of the database: the role may lack the right
 */
export async function removeRun(
  database: DatabaseClient,
  run: string,
  onWait: (ms: number) => void,
): Promise<void> {
  const ask = askClient(database)
  await removeDevices(ask, run)
  onWait(LAST_ROW_MS)
  await delay(LAST_ROW_MS)
  await removeDevices(ask, run)
}
