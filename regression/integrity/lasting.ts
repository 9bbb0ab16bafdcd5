import { setTimeout as delay } from 'node:timers/promises'

/** Waits while a fault lasts. For everything else use `until`. */
export async function lasting(ms: number): Promise<void> {
  await delay(ms)
}
