import type { Confirmations } from './confirmations.ts'

export interface PubackTallyOptions {
  readonly connections: number
  readonly eventsPerMessage: number
  /** Called for each expected PUBACK with the number of its message. */
  readonly onPuback: (message: number) => void
}

const EXAMPLES = 3
const MAX_PACKET_ID = 65_535

/**
 * Counts PUBACKs. The messages take turns on the connections, and on each of them PUBACKs come in the order of the
 * messages [MQTT-4.6.0-2]: any other packet identifier is a fault.
 */
export class PubackTally implements Confirmations {
  readonly #options: PubackTallyOptions
  /** PUBACKs by connection. */
  readonly #counts: Uint32Array
  readonly #odd: string[] = []
  #oddCount = 0
  #sent = 0
  #confirmed = 0

  constructor(options: PubackTallyOptions) {
    this.#options = options
    this.#counts = new Uint32Array(options.connections)
  }

  get confirmed(): number {
    return this.#confirmed
  }

  expect(): void {
    this.#sent += this.#options.eventsPerMessage
  }

  take(connection: number, packetId: number): void {
    const { connections, eventsPerMessage, onPuback } = this.#options
    const place = this.#counts[connection] as number
    const due = (place % MAX_PACKET_ID) + 1
    if (packetId !== due) {
      this.#oddCount++
      if (this.#odd.length < EXAMPLES)
        this.#odd.push(`${packetId} on connection ${connection} instead of ${due}`)
      return
    }
    this.#counts[connection] = place + 1
    this.#confirmed += eventsPerMessage
    onPuback(place * connections + connection)
  }

  faults(): readonly string[] {
    const missing = this.#sent - this.#confirmed
    const faults = missing === 0 ? [] : [`events without PUBACK: ${missing.toLocaleString('en')}`]
    if (this.#oddCount > 0) faults.push(`odd PUBACKs: ${this.#oddCount}, among them ${this.#odd.join('; ')}`)
    return faults
  }

  stop(): void {}
}
