import type { Instant } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { type MalformedPublish, PUBACK, PUBCOMP, PUBREC, type Publish } from './packets.ts'
import type { Quarantine } from './quarantine.ts'
import type { Transmit } from './transmit.ts'
import type { Unreleased } from './unreleased.ts'
import { type Unanswered, Window } from './window.ts'

/** State that outlives a connection and is passed to the next one. */
export interface SessionMemory {
  readonly unreleased: Unreleased
  readonly quarantine: Quarantine
}

/** A PUBLISH, and how to treat it. */
export interface Received {
  readonly publish: Publish
  /** The time of the socket read: the same for everything in one read. */
  readonly receivedAt: Instant
  /** Answers the message on this connection, if it is still open. */
  readonly unanswered: Unanswered
  /** Why the message can only be kept as a dead letter; null for all others. */
  readonly fault: string | null
  /** The device ack is withheld, since the broker closed two connections on it. */
  readonly withoutReply: boolean
}

export interface InboundOptions {
  readonly memory: SessionMemory
  readonly transmit: Pick<Transmit, 'answer'>
  readonly onMessage: (received: Received) => void
}

const NOTHING: Unanswered = { isSettled: true, settle: () => {} }

/**
 * The messages that one connection receives. Each is handed on once and answered once it is settled: PUBACK for QoS 1,
 * PUBREC and PUBCOMP for QoS 2. A message that ends the connection each time is quarantined.
 */
export class InboundMessages {
  readonly #memory: SessionMemory
  readonly #transmit: Pick<Transmit, 'answer'>
  readonly #onMessage: (received: Received) => void
  readonly #window: Window
  #hasEnded = false

  constructor({ memory, transmit, onMessage }: InboundOptions) {
    this.#memory = memory
    this.#transmit = transmit
    this.#onMessage = onMessage
    this.#window = new Window((packetId, qos) => this.#answer(packetId, qos))
  }

  /** CONNACK was received. */
  begin(sessionPresent: boolean): void {
    this.#memory.unreleased.begin(sessionPresent)
  }

  /** @throws if the message ends the connection: the handler failed on it, for the first time */
  receive(publish: Publish, receivedAt: Instant): void {
    if (this.#hasEnded) return
    const unanswered = this.#unanswered(publish)
    if (unanswered === null) return
    const { quarantine } = this.#memory
    const withoutReply = publish.dup && quarantine.redelivered(publish, unanswered)
    const received = { publish, receivedAt, unanswered, fault: null, withoutReply }
    try {
      this.#onMessage(received)
    } catch (error) {
      const fault = `the handler failed: ${reasonOf(error)}`
      if (quarantine.accuse(publish, fault) === 0) throw error
      this.#onMessage({ ...received, fault, withoutReply: false })
    }
  }

  /**
   * Ends the connection [MQTT-4.13.1-1]. The second time, the message is kept instead of ending every connection.
   *
   * @throws if the message ends the connection
   */
  receiveMalformed({ problem, packet, topic, packetId }: MalformedPublish, receivedAt: Instant): void {
    if (this.#hasEnded) return
    // The DUP flag belongs to the delivery, not to the message.
    const payload = Buffer.from(packet)
    payload[0] = (packet[0] as number) & ~8
    const before = this.#memory.quarantine.accuse({ topic, payload }, problem)
    if (before === 0) throw new QsError('BROKER_NO_ANSWER', problem)
    const unanswered = packetId === 0 ? NOTHING : this.#window.open(packetId)
    if (before > 1) return unanswered.settle()
    const publish: Publish = { topic, payload, packetId, qos: 1, dup: true }
    this.#onMessage({ publish, receivedAt, unanswered, fault: problem, withoutReply: false })
  }

  /** PUBREL, known or not: a broker that lost the PUBCOMP sends it again [MQTT 5, 4.3.3]. */
  release(packetId: number): void {
    this.#memory.unreleased.release(packetId)
    this.#transmit.answer(PUBCOMP, packetId)
  }

  /** The connection has ended: nothing more is handed on or answered. */
  end(): void {
    this.#hasEnded = true
    this.#memory.quarantine.connectionEnded()
  }

  /** Null for a known message of QoS 2, which is not handed on again. */
  #unanswered(publish: Publish): Unanswered | null {
    const { qos, packetId } = publish
    if (qos === 0) return NOTHING
    const state = qos === 2 ? this.#memory.unreleased.receive(publish) : 'new'
    if (state === 'answered') this.#transmit.answer(PUBREC, packetId)
    return state === 'new' ? this.#window.open(packetId, qos) : null
  }

  #answer(packetId: number, qos: 1 | 2): void {
    if (this.#hasEnded) return
    if (qos === 2) this.#memory.unreleased.answered(packetId)
    this.#transmit.answer(qos === 2 ? PUBREC : PUBACK, packetId)
  }
}
