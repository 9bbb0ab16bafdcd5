import type { Clock } from '../pipeline/clock.ts'
import { digestOf } from './digest.ts'
import type { Publish } from './packets.ts'
import type { Unanswered } from './window.ts'

/** What was kept from ending another connection. */
export interface Quarantined {
  readonly topic: string
  readonly reason: string
  readonly atMs: number
  /** Since the start. */
  readonly count: number
}

/** Messages that are remembered; the oldest is forgotten, and has to end another connection to come back. */
const MAX_REMEMBERED = 1_000

/**
 * Recognises the message that ends the connection again and again, since the broker redelivers it each time. Two kinds:
 *
 * - A PUBLISH that cannot be read, or at which the handler throws. It ends the connection once, as the standard demands
 *   [MQTT-4.13.1-1]; the second time it is kept as a dead letter (`QUARANTINED`) and answered.
 * - A message whose answer ends the connection: a broker that hangs up at a device ack that it forbids never reads the
 *   PUBACK behind it. Brokers redeliver in order [MQTT-4.6.0-1], so that message is the first to come back. Answered as the
 *   first one of two connections in a row that then ended, it is answered without a device ack. It is committed already.
 *   On a bad network this may strike an innocent message: its device asks again and hears `duplicate`.
 */
export class Quarantine {
  readonly #clock: Clock
  /** Ended a connection, or were kept: digest → how often they came. */
  readonly #accused = new Map<string, number>()
  #first: { readonly digest: string; readonly unanswered: Unanswered } | null = null
  /** The first message of the previous connection, where it was answered. */
  #answeredFirst: string | null = null
  #latest: Quarantined | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get latest(): Quarantined | null {
    return this.#latest
  }

  /** Something about this message is about to end the connection. @returns how often it did so before */
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

  /** A message is redelivered. @returns whether its answer has ended two connections in a row */
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
