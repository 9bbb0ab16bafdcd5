import { bytesOf, type Message } from './message.ts'

/** A QoS 1 or 2 message for one session, until its client has acknowledged it. */
export interface Queued {
  readonly message: Message
  readonly qos: 1 | 2
  readonly retain: boolean
  readonly subscriptionIds: readonly number[]
  /** 0: not sent yet. */
  packetId: number
  /** Sent on this connection. */
  isSent: boolean
  /** PUBREC was received, PUBREL was sent. */
  isReleased: boolean
}

/** Of a subscription identifier in an array. */
const ID_BYTES = 8
const MAX_PACKET_ID = 65_535
/** The spare identifiers keep the search for a free one short. */
const MAX_IN_FLIGHT = 60_000
const COMPACT_AT = 1024

/**
 * The unacknowledged messages of a session, in order. Every operation takes constant time.
 *
 * States of a message: waiting (never sent) → in flight (has a packet identifier) → released (QoS 2, after PUBREC) →
 * acknowledged and removed. After a reconnect, what was in flight is sent again first, with its identifier
 * [MQTT-4.4.0-1]; then what waits.
 */
export class OutQueue {
  /** In order of their first sending. */
  readonly #inFlight = new Map<number, Queued>()
  /** In flight on an earlier connection and not yet sent again. */
  #again: readonly Queued[] = []
  #nextAgain = 0
  #waiting: (Queued | undefined)[] = []
  #head = 0
  /** Sent on this connection and unacknowledged. */
  #sent = 0
  #lastId = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** Messages, whatever their state. */
  get size(): number {
    return this.#inFlight.size + this.#waiting.length - this.#head
  }

  /** Messages that were never sent. */
  get hasWaiting(): boolean {
    return this.#head < this.#waiting.length
  }

  add(queued: Queued): void {
    this.#waiting.push(queued)
    this.#bytes += queuedBytes(queued)
  }

  /** All of them, in order. */
  *all(): Generator<Queued, void, undefined> {
    yield* this.#inFlight.values()
    for (const queued of this.#waiting) if (queued !== undefined) yield queued
  }

  /** A connection begins. */
  rewind(): void {
    this.#again = [...this.#inFlight.values()]
    this.#nextAgain = 0
    for (const queued of this.#again) queued.isSent = false
    this.#sent = 0
  }

  /**
   * The next message to send, if the client allows another one in flight.
   *
   * @returns with a packet identifier; whether it was in flight before
   */
  next(receiveMaximum: number): { readonly queued: Queued; readonly isAgain: boolean } | null {
    if (this.#sent >= Math.min(receiveMaximum, MAX_IN_FLIGHT)) return null
    while (this.#nextAgain < this.#again.length) {
      const queued = this.#again[this.#nextAgain++] as Queued
      if (this.#inFlight.get(queued.packetId) !== queued) continue
      this.#countSent(queued)
      return { queued, isAgain: true }
    }
    this.#again = []
    this.#nextAgain = 0
    const queued = this.#waiting[this.#head]
    if (queued === undefined) return null
    this.#waiting[this.#head++] = undefined
    this.#compact()
    queued.packetId = this.#freeId()
    this.#inFlight.set(queued.packetId, queued)
    this.#countSent(queued)
    return { queued, isAgain: false }
  }

  /** PUBACK, PUBCOMP, or PUBREC with an error. @returns whether the identifier was in flight */
  acknowledge(packetId: number): boolean {
    const queued = this.#inFlight.get(packetId)
    if (queued === undefined) return false
    this.#inFlight.delete(packetId)
    this.#bytes -= queuedBytes(queued)
    // An answer to a message that was sent on an earlier connection opens no window on this one.
    if (queued.isSent) this.#sent--
    return true
  }

  /** PUBREC. @returns whether the identifier was in flight */
  release(packetId: number): boolean {
    const queued = this.#inFlight.get(packetId)
    if (queued === undefined) return false
    queued.isReleased = true
    return true
  }

  #countSent(queued: Queued): void {
    queued.isSent = true
    this.#sent++
  }

  #compact(): void {
    if (this.#head === this.#waiting.length) this.#waiting = []
    else if (this.#head < COMPACT_AT || this.#head * 2 < this.#waiting.length) return
    else this.#waiting = this.#waiting.slice(this.#head)
    this.#head = 0
  }

  #freeId(): number {
    do this.#lastId = (this.#lastId % MAX_PACKET_ID) + 1
    while (this.#inFlight.has(this.#lastId))
    return this.#lastId
  }
}

function queuedBytes({ message, subscriptionIds }: Queued): number {
  return bytesOf(message) + ID_BYTES * subscriptionIds.length
}
