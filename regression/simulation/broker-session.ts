import type { Link } from './link.ts'

/** A message on its way to an ingester. */
export interface QueuedMessage {
  readonly topic: string
  readonly deviceId: string
  readonly qos: 0 | 1
  readonly payload: Buffer
  /** Of its elements, for the checker. */
  readonly elements: readonly string[]
}

/** What a durable session is at the broker [MQTT 5, 4.1]: what waits, and what was sent and has no PUBACK. */
export class BrokerSession {
  queue: QueuedMessage[] = []
  /** By packet identifier, in the order in which they were sent first. */
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

  /** What a store on disk would have. */
  snapshot(): () => void {
    const [queue, inFlight, isSubscribed] = [[...this.queue], new Map(this.inFlight), this.isSubscribed]
    return () => {
      this.queue = [...queue]
      this.inFlight = new Map(inFlight)
      this.isSubscribed = isSubscribed
    }
  }
}
