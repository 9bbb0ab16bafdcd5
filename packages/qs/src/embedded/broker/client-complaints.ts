import type { Peer } from '../../broker/rules.ts'
import type { Log } from '../../telemetry/log.ts'

const QUIET_MS = 60_000

/**
 * Log lines about clients. A board with refused connections reconnects every second, so each kind of line is logged
 * once a minute, with the number of suppressed ones.
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

/** The client, as fields of a log line. */
export function aboutClient({ clientId, address }: Peer): Readonly<Record<string, unknown>> {
  return { client: clientId, address }
}
