import { setTimeout as delay } from 'node:timers/promises'

/** How long a fault lasts. For all else there is `until`. */
export async function lasting(ms: number): Promise<void> {
  await delay(ms)
}
