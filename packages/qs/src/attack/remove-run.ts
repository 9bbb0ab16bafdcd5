import { setTimeout as delay } from 'node:timers/promises'
import { askClient } from '../database/ask-client.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import { removeDevices } from '../devices/remove-devices.ts'
import { DEVICE_INTERVAL_MS } from '../pipeline/device-interval.ts'

/** Rows of `devices` are due every interval, and without traffic an ingester checks once per interval. */
const LAST_ROW_MS = 2 * DEVICE_INTERVAL_MS + 1_000

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
