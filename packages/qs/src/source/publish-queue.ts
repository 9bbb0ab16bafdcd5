interface Outgoing {
  readonly topic: string
  readonly payload: string
  /** Connections that ended while it was under way. */
  tries: number
}

/** Sends one of ours with QoS 1. */
export type SendQos1 = (message: Outgoing, packetId: number, isRedelivery: boolean) => void

/** Far fewer than there are packet identifiers, so that a free one is found at once. */
const MAX_UNDER_WAY = 10_000
/** Beyond it the oldest is given up: a device without its ack asks again, a dead letter has its row. */
const MAX_WAITING = 10_000
/** Characters of what waits, which are its bytes nearly always. */
const MAX_WAITING_LENGTH = 16 * 1024 * 1024
/** A broker that ends the connection at a message would do it for ever. */
const MAX_TRIES = 3

/**
 * What we publish with QoS 1, until the broker has it: dead letters, and device acks where ACK_QOS is 1.
 *
 * Deliveries do not wait for it. A paused socket reads no PUBACK, and a delivery that waited for one could keep
 * it paused for ever. At most as many messages as the broker's Receive Maximum are under way [MQTT-3.3.4-9];
 * after a reconnect those are sent again, with their packet identifier [MQTT-4.4.0-1].
 */
export class PublishQueue {
  readonly #underWay = new Map<number, Outgoing>()
  /** Under way when the connection ended; they go first, with the identifiers they had. */
  #again: [packetId: number, message: Outgoing][] = []
  #waiting: Outgoing[] = []
  #waitingLength = 0
  #receiveMaximum = 0
  #isResumed = false
  #send: SendQos1 | null = null
  #lastPacketId = 1
  #givenUp = 0

  /** Messages that no broker has taken yet. */
  get size(): number {
    return this.#underWay.size + this.#again.length + this.#waiting.length
  }

  /** Messages given up since the start, since the broker took them too slowly. */
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

  /** A session begins, or goes on. */
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

  /** Also for a PUBACK that refuses: what an ACL forbids is forbidden the next time too. */
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

  /** 1 is for SUBSCRIBE. */
  #freePacketId(): number {
    do this.#lastPacketId = 2 + ((this.#lastPacketId - 1) % 65_534)
    while (this.#underWay.has(this.#lastPacketId))
    return this.#lastPacketId
  }
}
