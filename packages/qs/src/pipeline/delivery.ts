import type { DeadLetterCode, Instant } from '@qs-telemetry/protocol'

/**
 * One PUBLISH on its way through the pipeline, and the duty to settle it.
 *
 * The product's guarantee rests on `settle`: PUBACK and PUBREC are sent only after it is called, so it is called once
 * everything in the message is committed, as an event or as a dead letter, and never before. Until then the broker
 * keeps the message. A delivery that is never settled shrinks the window permanently, since a broker redelivers only on
 * reconnect; so every path ends in `settle`, or in the end of the connection.
 */
export interface Delivery {
  readonly topic: string
  readonly payload: Buffer
  /** The DUP flag: the broker may have sent this message before [MQTT-3.3.1-1]. */
  readonly redelivered: boolean
  /** Server time of everything in the message. */
  readonly receivedAt: Instant
  /** Why the broker's packet could not be handled; the payload is then kept as a dead letter without being decoded. */
  readonly fault?: string | null
  /** The broker closes the connection on the reply: nothing is published about this message. */
  readonly withoutReply?: boolean
  /** What is rejected is kept elsewhere: it leaves no dead letter. */
  readonly leavesNoLetter?: boolean
  /**
   * Called exactly once.
   *
   * @param refusal why nothing of the message is stored as an event; an MQTT 5 client learns it from the PUBACK
   */
  settle(refusal?: DeadLetterCode | null): void
}

/**
 * Publishes to MQTT. What is published before a delivery is settled reaches the broker before its PUBACK: both leave in
 * order on one connection. So once the broker has the PUBACK it also has the device ack, and if the connection breaks
 * in between, the message is redelivered and answered again.
 */
export interface Publisher {
  /** The broker closes the connection on a larger payload, and would then redeliver the message. */
  readonly maxPayloadBytes: number
  publish(topic: string, payload: string, qos: 0 | 1): void
  /** Whether a message on this topic can reach anybody. If not, a reply need not be made: 1.5 µs for each event. */
  isHeard(topic: string): boolean
}
