import type { Link } from './link.ts'

/** A message for an ingester. */
export interface QueuedMessage {
  readonly topic: string
  readonly deviceId: string
  readonly qos: 0 | 1
  readonly payload: Buffer
  /** Payloads of its elements, for the checker. */
  readonly elements: readonly string[]
}

/** A durable session at the broker [MQTT 5, 4.1]: messages that wait, and messages sent without a PUBACK. */
export class BrokerSession {
  queue: QueuedMessage[] = []
  /** By packet identifier, in the order of first sending. */
  inFlight = new Map<number, QueuedMessage>()
  isSubscribed = false
  link: Link | null = null
  protocolVersion: 4 | 5 = 5
  window = 20
  #lastPacketId = 0

  nextPacketId(): number {
    do this.#lastPacketId = 1 + (this.#lastPacketId % 65_535)
    while (this.inFlight.has(this.#lastPacketId))
    return this.#lastPacketId
  }

  lose(): void {
    this.queue = []
    this.inFlight = new Map()
    this.isSubscribed = false
  }

  /** Saves the state as a store on disk would; the result restores it. */
  snapshot(): () => void {
    const [queue, inFlight, isSubscribed] = [[...this.queue], new Map(this.inFlight), this.isSubscribed]
    return () => {
      this.queue = [...queue]
      this.inFlight = new Map(inFlight)
      this.isSubscribed = isSubscribed
    }
  }
}
