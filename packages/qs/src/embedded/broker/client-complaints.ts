import type { Client } from 'aedes'
import type { Log } from '../../telemetry/log.ts'

const QUIET_MS = 60_000

/**
 * Log lines about clients. A board in a loop of refused connections repeats itself every second: each kind of
 * complaint is said once a minute, with the number of those that were not said.
 */
export class ClientComplaints {
  readonly #log: Log
  readonly #kinds = new Map<string, { saidAt: number; unsaid: number }>()

  constructor(log: Log) {
    this.#log = log
  }

  say(kind: string, fields: Readonly<Record<string, unknown>>, text: string): void {
    const now = performance.now()
    const last = this.#kinds.get(kind)
    if (last !== undefined && now - last.saidAt < QUIET_MS) {
      last.unsaid++
      return
    }
    const more = last?.unsaid ? ` (and ${last.unsaid} more like it)` : ''
    this.#log.warn(fields, text + more)
    this.#kinds.set(kind, { saidAt: now, unsaid: 0 })
  }
}

/** Who it was, for the fields of a complaint. */
export function aboutClient(client: Client): Readonly<Record<string, unknown>> {
  return { client: client.id, address: addressOf(client) }
}

/** Empty for a client in this process. */
export function addressOf(client: Client): string {
  const { remoteAddress } = (client.req?.socket ?? client.conn) as { remoteAddress?: string }
  return remoteAddress ?? ''
}
