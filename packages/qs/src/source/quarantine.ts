import type { Clock } from '../pipeline/clock.ts'
import { digestOf, type Publish } from './packets.ts'
import type { Unanswered } from './window.ts'

/** The latest quarantined message. */
export interface Quarantined {
  readonly topic: string
  readonly reason: string
  readonly atMs: number
  /** Quarantined messages since the start. */
  readonly count: number
}

/** Beyond this the oldest message is forgotten, and must end another connection to be recognised again. */
const MAX_REMEMBERED = 1_000

/**
 * Recognises a message that ends the connection repeatedly, since the broker redelivers it each time. Two kinds:
 *
 * - A PUBLISH that cannot be read, or for which the handler throws. It ends the connection once, as the standard
 *   requires [MQTT-4.13.1-1]; the second time it is kept as a dead letter (`QUARANTINED`) and answered.
 * - A message whose answer ends the connection: a broker that disconnects on a forbidden device ack never reads the
 *   PUBACK after it. Brokers redeliver in order [MQTT-4.6.0-1], so that message is the first to return. If it was the
 *   first message of two consecutive connections, and was answered before they ended, it is answered without a device
 *   ack; it is committed already. A bad network may cause this too: the device sends again and gets `duplicate`.
 */
export class Quarantine {
  readonly #clock: Clock
  /** Messages that ended a connection or were kept: digest → number of times. */
  readonly #accused = new Map<string, number>()
  #first: { readonly digest: string; readonly unanswered: Unanswered } | null = null
  /** The first message of the previous connection, if it was answered. */
  #answeredFirst: string | null = null
  #latest: Quarantined | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get latest(): Quarantined | null {
    return this.#latest
  }

  /** This message is about to end the connection. @returns how often it has done so before */
  accuse(message: { readonly topic: string; readonly payload: Buffer }, reason: string): number {
    const digest = digestOf(message)
    const before = this.#accused.get(digest) ?? 0
    this.#accused.delete(digest)
    this.#accused.set(digest, before + 1)
    for (const oldest of this.#accused.keys()) {
      if (this.#accused.size <= MAX_REMEMBERED) break
      this.#accused.delete(oldest)
    }
    if (before > 0) this.#keep(message.topic, reason)
    return before
  }

  /** Called for each redelivery. @returns whether the answer has ended two connections in a row */
  redelivered(publish: Publish, unanswered: Unanswered): boolean {
    if (this.#first !== null) return false
    const digest = digestOf(publish)
    this.#first = { digest, unanswered }
    if (digest !== this.#answeredFirst) return false
    this.#keep(publish.topic, 'the connection ended twice when it was answered')
    return true
  }

  connectionEnded(): void {
    this.#answeredFirst = this.#first?.unanswered.isSettled ? this.#first.digest : null
    this.#first = null
  }

  #keep(topic: string, reason: string): void {
    const count = (this.#latest?.count ?? 0) + 1
    this.#latest = { topic, reason, atMs: this.#clock.monotonicMs(), count }
  }
}
