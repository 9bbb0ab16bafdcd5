import type { OutgoingPublish, Output } from '../mqtt/output.ts'
import { PUBREL, type Qos } from '../mqtt/packet-types.ts'
import { bytesOf, expirySecondsLeft, hasExpired, type Message } from './message.ts'
import { OutQueue, type Queued } from './out-queue.ts'
import type { SessionLimits } from './session-limits.ts'
import type { TurnBudget } from './turn-budget.ts'

export interface Subscription {
  readonly session: Session
  /** Without `$share/{group}/`. */
  readonly filter: string
  /** null: not shared. */
  readonly group: string | null
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | null
}

/** The connection of a session, as the session uses it. */
export interface Outlet {
  readonly output: Output
  /** Maximum QoS 1 and 2 messages in flight to the client. */
  readonly receiveMaximum: number
  /** Bytes that the network has not taken. */
  readonly waitingBytes: number
  /** The rights of its account; undefined afterwards. */
  mayReceive(topic: string): boolean
  monotonicMs(): number
}

/** Retained messages for a new subscription, read from the store when there is room for them. */
export interface DueRetained {
  /** null: a step without a message. */
  readonly found: Iterator<Message | null>
  /** Of all look-ups. */
  readonly turn: TurnBudget
  readonly subscription: Subscription
}

/** Above this, QoS 0 messages are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Above this, QoS 1 and 2 messages and retained messages stay where they are. */
const QUEUE_ABOVE_BYTES = 64 * 1024
const NO_IDS: readonly number[] = []

/**
 * A session: its subscriptions, the messages for its client that are not acknowledged, and the QoS 2 messages from it
 * that are not released. With a connection it sends; without one it keeps QoS 1 and 2.
 *
 * No client delays another: what its network does not take stays in its own queue, up to a limit.
 */
export class Session {
  readonly clientId: string
  /** The account that made it, and to which it belongs. */
  readonly account: string
  readonly subscriptions = new Map<string, Subscription>()
  /**
   * The QoS 2 messages from the client between PUBLISH and PUBREL, by packet identifier: their digests. An event is one
   * of them from its commit on, and belongs to its connection before: after a reconnect it is taken again.
   */
  readonly incoming = new Map<number, string>()
  readonly #limits: SessionLimits
  readonly #queue = new OutQueue()
  /** By filter. */
  readonly #retained = new Map<string, DueRetained>()
  /** The look-up goes on in a later turn. */
  #isLookUpLater = false
  #outlet: Outlet | null = null
  /** QoS 0 messages dropped because this connection did not read. */
  missed = 0
  /** How long it outlasts its connection. */
  expirySeconds = 0

  constructor(clientId: string, account: string, limits: SessionLimits) {
    this.clientId = clientId
    this.account = account
    this.#limits = limits
  }

  get isConnected(): boolean {
    return this.#outlet !== null
  }

  /** Call it after CONNACK. */
  connect(outlet: Outlet): void {
    this.#outlet = outlet
    this.missed = 0
    this.#queue.rewind()
    this.pump()
  }

  disconnect(): void {
    this.#outlet = null
    this.#retained.clear()
  }

  /**
   * Frees the memory that it counts for.
   *
   * @returns messages of shared subscriptions that another member should get [4.8.2]: not those of QoS 2 that it may
   * have received [MQTT-4.8.2-5]
   */
  end(): readonly Message[] {
    this.#limits.count(this, -this.#queue.bytes, -this.#queue.size)
    this.#outlet = null
    const left = [...this.#queue.all()].filter(({ qos, packetId }) => qos === 1 || packetId === 0)
    return left.map(({ message }) => message).filter(({ shared }) => shared !== undefined)
  }

  /** Whether a message of this QoS would reach its client, or be kept for it. */
  takes(message: Message, qos: Qos, subscriptionIds: readonly number[]): boolean {
    const outlet = this.#outlet
    if (outlet === null) return qos > 0 && this.expirySeconds > 0 && this.#hasRoom(message)
    if (!outlet.mayReceive(message.topic)) return false
    const terms = { qos, dup: false, retain: false, subscriptionIds, packetId: 0 }
    if (!outlet.output.fits(packetOf(message, terms, outlet.monotonicMs()))) return false
    return qos > 0 ? this.#hasRoom(message) : outlet.waitingBytes <= MAX_WAITING_BYTES
  }

  /** @param ids the identifiers of the subscriptions that match */
  deliver(message: Message, qos: Qos, retain: boolean, ids: readonly number[] = NO_IDS): void {
    const outlet = this.#outlet
    if (qos === 0) {
      if (outlet !== null) this.#send0(outlet, message, retain, ids)
      return
    }
    if (outlet === null && this.expirySeconds === 0) return
    this.#enqueue(message, { qos, retain, subscriptionIds: ids })
    this.pump()
  }

  #enqueue(message: Message, terms: Pick<Queued, 'qos' | 'retain' | 'subscriptionIds'>): void {
    if (!this.#hasRoom(message)) return this.#limits.drop(this.clientId)
    const before = this.#queue.bytes
    this.#queue.add({ message, ...terms, packetId: 0, isSent: false, isReleased: false })
    this.#limits.count(this, this.#queue.bytes - before, 1)
  }

  #hasRoom(message: Message): boolean {
    return this.#limits.hasRoom(this, this.#queue.bytes, bytesOf(message))
  }

  /** Sends these when there is room. */
  deliverRetained(due: DueRetained): void {
    // A client that repeats a subscription gets them once more, however often it does so before they are found.
    const { filter } = due.subscription
    this.#retained.delete(filter)
    this.#retained.set(filter, due)
    this.pump()
  }

  /** Sends what is due while the network takes it. Call it when the network has taken something. */
  pump(): void {
    const outlet = this.#outlet
    if (outlet === null) return
    while (outlet.waitingBytes < QUEUE_ABOVE_BYTES) {
      if (this.#sendNext(outlet)) continue
      if (this.#queue.hasWaiting || !this.#nextRetained(outlet)) return
    }
  }

  /** PUBACK or PUBCOMP, or PUBREC with an error. @returns whether it was in flight */
  acknowledge(packetId: number): boolean {
    const before = this.#queue.bytes
    const isKnown = this.#queue.acknowledge(packetId)
    if (isKnown) this.#limits.count(this, this.#queue.bytes - before, -1)
    this.pump()
    return isKnown
  }

  /** PUBREC. @returns whether it was in flight */
  release(packetId: number): boolean {
    return this.#queue.release(packetId)
  }

  #sendNext(outlet: Outlet): boolean {
    const next = this.#queue.next(outlet.receiveMaximum)
    if (next === null) return false
    const { queued, isAgain } = next
    const { message, packetId } = queued
    if (queued.isReleased) {
      outlet.output.answer(PUBREL, packetId)
      return true
    }
    const nowMs = outlet.monotonicMs()
    const isDue = outlet.mayReceive(message.topic) && (isAgain || !hasExpired(message, nowMs))
    const packet = packetOf(message, { ...queued, dup: isAgain }, nowMs)
    if (isDue && outlet.output.publish(packet)) return true
    // A packet above the client's limit counts as acknowledged [MQTT-3.1.2-25].
    const before = this.#queue.bytes
    this.#queue.acknowledge(packetId)
    this.#limits.count(this, this.#queue.bytes - before, -1)
    // Not one with QoS 2 that it may have received [MQTT-4.8.2-5].
    if (isDue && (queued.qos === 1 || !isAgain)) message.shared?.passOn(message, this.clientId)
    return true
  }

  #nextRetained(outlet: Outlet): boolean {
    const [due] = this.#retained.values()
    if (due === undefined || this.#isLookUpLater) return false
    if (!due.turn.take()) {
      this.#isLookUpLater = true
      due.turn.later(() => {
        this.#isLookUpLater = false
        this.pump()
      })
      return false
    }
    const { value: message, done } = due.found.next()
    if (done) this.#retained.delete(due.subscription.filter)
    if (!message) return true
    const { qos: granted, identifier, noLocal } = due.subscription
    // [MQTT-3.8.3-3]
    if (noLocal && message.from === this.clientId) return true
    const subscriptionIds = identifier === null ? NO_IDS : [identifier]
    const qos = Math.min(granted, message.qos) as Qos
    if (qos === 0) this.#send0(outlet, message, true, subscriptionIds)
    else this.#enqueue(message, { qos, retain: true, subscriptionIds })
    return true
  }

  #send0(outlet: Outlet, message: Message, retain: boolean, subscriptionIds: readonly number[]): void {
    if (outlet.waitingBytes > MAX_WAITING_BYTES) {
      this.missed++
      return this.#limits.dropUnread()
    }
    if (!outlet.mayReceive(message.topic)) return
    const terms = { qos: 0, dup: false, retain, subscriptionIds, packetId: 0 } as const
    outlet.output.publish(packetOf(message, terms, outlet.monotonicMs()))
  }
}

type Terms = Pick<OutgoingPublish, 'qos' | 'dup' | 'retain' | 'subscriptionIds' | 'packetId'>

function packetOf(message: Message, terms: Terms, nowMs: number): OutgoingPublish {
  const { topic, payload, forwarded } = message
  const { qos, dup, retain, subscriptionIds, packetId } = terms
  const expirySeconds = expirySecondsLeft(message, nowMs)
  return { topic, payload, qos, dup, retain, packetId, forwarded, expirySeconds, subscriptionIds }
}
