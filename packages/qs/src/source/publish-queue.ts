import { MAX_PUBLISH_ID } from './packet-ids.ts'

interface Outgoing {
  readonly topic: string
  readonly payload: string
  /** Connections that ended while it was unacknowledged. */
  tries: number
}

/** Sends a message with QoS 1. */
export type SendQos1 = (message: Outgoing, packetId: number, isRedelivery: boolean) => void

/** Far below the number of packet identifiers, so that a free one is found at once. */
const MAX_UNDER_WAY = 10_000
/** Beyond this the oldest message is dropped: a device without its ack sends again, a dead letter has its row. */
const MAX_WAITING = 10_000
/** Characters of the waiting payloads; nearly always the same as bytes. */
const MAX_WAITING_LENGTH = 16 * 1024 * 1024
/** A broker that closes the connection on a message would do so forever. */
const MAX_TRIES = 3

/**
 * Messages published with QoS 1, until the broker acknowledges them: dead letters, and device acks if ACK_QOS is 1.
 *
 * Deliveries do not wait for them. A paused socket reads no PUBACK, and a delivery that waited for one could keep the
 * socket paused forever. At most the broker's Receive Maximum of messages is unacknowledged [MQTT-3.3.4-9]; after a
 * reconnect these are sent again with their packet identifiers [MQTT-4.4.0-1].
 */
export class PublishQueue {
  readonly #underWay = new Map<number, Outgoing>()
  /** Unacknowledged when the connection ended; sent first, with their former identifiers. */
  #again: [packetId: number, message: Outgoing][] = []
  #waiting: Outgoing[] = []
  #waitingLength = 0
  #receiveMaximum = 0
  #isResumed = false
  #send: SendQos1 | null = null
  #lastPacketId = 0
  #givenUp = 0

  /** Messages not yet acknowledged by the broker. */
  get size(): number {
    return this.#underWay.size + this.#again.length + this.#waiting.length
  }

  /** Messages given up since the start. */
  get givenUp(): number {
    return this.#givenUp
  }

  add(topic: string, payload: string): void {
    this.#waiting.push({ topic, payload, tries: 0 })
    this.#waitingLength += payload.length
    while (this.#waiting.length > MAX_WAITING || this.#waitingLength > MAX_WAITING_LENGTH) {
      this.#takeWaiting()
      this.#givenUp++
    }
    this.#fill()
  }

  /** A session begins or is resumed. */
  connected(
    send: SendQos1,
    { receiveMaximum, sessionPresent }: { receiveMaximum: number; sessionPresent: boolean },
  ): void {
    this.#send = send
    this.#receiveMaximum = Math.min(receiveMaximum, MAX_UNDER_WAY)
    this.#isResumed = sessionPresent
    const again = [...this.#underWay, ...this.#again]
    for (const [, message] of this.#underWay) message.tries++
    this.#again = again.filter(([, { tries }]) => tries < MAX_TRIES)
    this.#givenUp += again.length - this.#again.length
    this.#underWay.clear()
    this.#fill()
  }

  disconnected(): void {
    this.#send = null
  }

  /** Also for a PUBACK with an error: what an ACL forbids now, it forbids again. */
  acknowledged(packetId: number): void {
    this.#underWay.delete(packetId)
    this.#fill()
  }

  #fill(): void {
    while (this.#send !== null && this.#underWay.size < this.#receiveMaximum) {
      const again = this.#again.shift()
      const message = again?.[1] ?? this.#takeWaiting()
      if (message === undefined) return
      const packetId = again?.[0] ?? this.#freePacketId()
      this.#underWay.set(packetId, message)
      this.#send(message, packetId, again !== undefined && this.#isResumed)
    }
  }

  #takeWaiting(): Outgoing | undefined {
    const message = this.#waiting.shift()
    this.#waitingLength -= message?.payload.length ?? 0
    return message
  }

  #freePacketId(): number {
    do this.#lastPacketId = 1 + (this.#lastPacketId % MAX_PUBLISH_ID)
    while (this.#underWay.has(this.#lastPacketId))
    return this.#lastPacketId
  }
}
