import { Readable } from 'node:stream'
import type { Aedes } from 'aedes'
import { type QueuedPacket, SessionQueue } from './session-queue.ts'

type Session = { readonly id: string }

/** A subscription of a durable session, as found by aedes for a topic. */
interface Subscriber {
  readonly clientId: string
  /** Absent: the message is for this client, regardless of its subscriptions. */
  readonly qos?: number | undefined
  /** No local. */
  readonly nl?: boolean | undefined
  /** Retain as published. */
  readonly rap?: boolean | undefined
}

export interface SessionStoreOptions {
  readonly maxBytesOf: (clientId: string) => number
  /** Limit for all sessions together, except those whose own limit is at least as large. */
  readonly maxBytes: number
  readonly onFull: (clientId: string) => void
  /** A copy of a payload that keeps nothing else in memory. */
  readonly detached: (payload: Buffer) => Buffer
}

/**
 * Up to this size, the session with the large limit stores payloads without a copy: it is usually drained at once, and
 * a copy costs 2 µs of the 15 µs per message. Above it, messages may wait for hours. 640 small messages keep at most 40
 * MB.
 */
const UNDETACHED_BYTES = 256 * 1024

/**
 * The queues of sessions: the part of aedes' persistence (its interface, in memory) that stores messages until they are
 * acknowledged. `Outlet` sends them.
 *
 * A session above its limit gets no more messages, as with Mosquitto's `max_queued_messages`. A dropped message gets no
 * device ack, so its device sends it again. Without a limit, a session that never returns, or an ingester that cannot
 * write for a night, takes the memory of the whole machine.
 */
export class SessionStore {
  readonly #options: SessionStoreOptions
  readonly #queues = new Map<string, SessionQueue>()
  /** Bytes of the sessions that share `maxBytes`. */
  #sharedBytes = 0
  #dropped = 0
  readonly #watchers: ((clientId: string) => void)[] = []

  constructor(options: SessionStoreOptions) {
    this.#options = options
  }

  /** Replaces these methods of aedes' own store, which keeps subscriptions, wills and the rest. */
  attach(broker: Aedes): void {
    const { persistence } = broker as unknown as { readonly persistence: object }
    Object.assign(persistence, {
      outgoingEnqueue: async (to: Subscriber, packet: QueuedPacket) =>
        this.enqueue(to.clientId, { ...packet }),
      outgoingEnqueueCombi: async (to: readonly Subscriber[], packet: QueuedPacket) =>
        this.#enqueueAll(to, packet),
      // PUBREC was received, PUBREL follows.
      outgoingUpdate: async ({ id }: Session, { messageId }: QueuedPacket) =>
        this.#release(id, messageId ?? 0),
      outgoingClearMessageId: async ({ id }: Session, packet: QueuedPacket) =>
        this.#take(id, packet.messageId ?? 0),
      // Outlets send queued messages, not aedes.
      outgoingStream: () => Readable.from([]),
    })
  }

  /** Calls back when a message is queued or acknowledged, so that the session may have something to send. */
  watch(watcher: (clientId: string) => void): void {
    this.#watchers.push(watcher)
  }

  /** Messages queued for a session or awaiting its PUBACK. */
  get waiting(): number {
    let waiting = 0
    for (const queue of this.#queues.values()) waiting += queue.messages
    return waiting
  }

  /** Messages dropped because a queue was full. */
  get dropped(): number {
    return this.#dropped
  }

  bytesOf(clientId: string): number {
    return this.#queues.get(clientId)?.bytes ?? 0
  }

  /** @returns undefined if nothing is queued */
  queueOf(clientId: string): SessionQueue | undefined {
    return this.#queues.get(clientId)
  }

  enqueue(clientId: string, packet: QueuedPacket): void {
    const queue = this.#queues.get(clientId) ?? new SessionQueue()
    this.#queues.set(clientId, queue)
    const maxBytes = this.#options.maxBytesOf(clientId)
    const isOver = queue.bytes >= maxBytes
    if (isOver || (this.#isSharing(clientId) && this.#sharedBytes >= this.#options.maxBytes)) {
      this.#dropped++
      return this.#options.onFull(clientId)
    }
    const isKept = this.#isSharing(clientId) || queue.bytes > UNDETACHED_BYTES
    this.#counting(clientId, queue, () => queue.add(isKept ? this.#detached(packet) : packet))
    for (const watcher of this.#watchers) watcher(clientId)
  }

  /** Removes a message that the client must not get. */
  discard(clientId: string, messageId: number): void {
    const queue = this.#queues.get(clientId)
    if (queue !== undefined) this.#counting(clientId, queue, () => queue.take(messageId))
  }

  /** The session has ended; discards its queue. */
  forget(clientId: string): void {
    if (this.#isSharing(clientId)) this.#sharedBytes -= this.bytesOf(clientId)
    this.#queues.delete(clientId)
  }

  /**
   * A session with overlapping subscriptions gets a message once, with the highest QoS among them [MQTT-3.3.5-1], but
   * never above that of the publisher [MQTT-3.8.4-6].
   */
  #enqueueAll(to: readonly Subscriber[], packet: QueuedPacket): void {
    const grants = new Map<string, { readonly qos: number; readonly retain: boolean }>()
    for (const { clientId, qos = 0, nl, rap } of to) {
      // No local [MQTT-3.8.3-3].
      if (nl === true && packet.clientId === clientId) continue
      const other = grants.get(clientId)
      grants.set(clientId, {
        qos: Math.max(qos, other?.qos ?? 0),
        retain: rap === true || other?.retain === true,
      })
    }
    for (const [clientId, { qos, retain }] of grants) {
      this.enqueue(clientId, {
        ...packet,
        qos: Math.min(qos, packet.qos ?? 0),
        retain: retain && packet.retain === true,
      })
    }
  }

  #release(clientId: string, messageId: number): void {
    const queue = this.#queues.get(clientId)
    if (queue !== undefined) this.#counting(clientId, queue, () => queue.release(messageId))
  }

  #take(clientId: string, messageId: number): QueuedPacket | undefined {
    const queue = this.#queues.get(clientId)
    if (queue === undefined) return undefined
    const taken = this.#counting(clientId, queue, () => queue.take(messageId))
    for (const watcher of this.#watchers) watcher(clientId)
    return taken
  }

  #counting<T>(clientId: string, queue: SessionQueue, change: () => T): T {
    const before = queue.bytes
    const result = change()
    if (this.#isSharing(clientId)) this.#sharedBytes += queue.bytes - before
    return result
  }

  /** Copies the payload, which would otherwise keep the whole read buffer in memory without being counted. */
  #detached(packet: QueuedPacket): QueuedPacket {
    const { payload } = packet
    return payload instanceof Buffer ? { ...packet, payload: this.#options.detached(payload) } : packet
  }

  #isSharing(clientId: string): boolean {
    return this.#options.maxBytesOf(clientId) < this.#options.maxBytes
  }
}
