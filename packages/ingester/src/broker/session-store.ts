import { Readable } from 'node:stream'
import type { Aedes } from 'aedes'
import { type QueuedPacket, SessionQueue } from './session-queue.ts'

type Session = { readonly id: string }
type Subscriber = { readonly clientId: string; readonly nl?: boolean | undefined }

export interface SessionStoreOptions {
  readonly maxBytesPerSession: number
  readonly onFull: (clientId: string) => void
}

/**
 * The part of aedes' persistence (its interface, in memory) that keeps messages for durable sessions.
 *
 * A session above the limit gets nothing more queued, as with Mosquitto's `max_queued_messages`; what it
 * misses was not acked by a device ack, so it comes again. Without a limit, a session that never returns or
 * an ingester that cannot write for a night takes the memory of the whole machine.
 */
export class SessionStore {
  readonly #options: SessionStoreOptions
  readonly #queues = new Map<string, SessionQueue>()

  constructor(options: SessionStoreOptions) {
    this.#options = options
  }

  /**
   * Puts these methods in place of those of the broker's own store, which keeps subscriptions, wills and the
   * rest.
   */
  attach(broker: Aedes): void {
    const { persistence } = broker as unknown as { readonly persistence: object }
    Object.assign(persistence, {
      outgoingEnqueue: async (to: Subscriber, packet: QueuedPacket) => this.#enqueue(to, packet),
      outgoingEnqueueCombi: async (to: readonly Subscriber[], packet: QueuedPacket) => {
        for (const subscriber of to) if (!isOwn(subscriber, packet)) this.#enqueue(subscriber, packet)
      },
      // The one it replaces fails where the message is not queued, and aedes disconnects the client for it.
      outgoingUpdate: async ({ id }: Session, packet: QueuedPacket) => this.#queues.get(id)?.update(packet),
      outgoingClearMessageId: async ({ id }: Session, packet: QueuedPacket) => this.#take(id, packet),
      outgoingStream: ({ id }: Session) => Readable.from(this.#queues.get(id)?.all() ?? []),
    })
  }

  /** Messages that wait for a session, or for its PUBACK. */
  get waiting(): number {
    let waiting = 0
    for (const queue of this.#queues.values()) waiting += queue.messages
    return waiting
  }

  /** The session is over: nobody will come for what is queued. */
  forget(clientId: string): void {
    this.#queues.delete(clientId)
  }

  #enqueue({ clientId }: Subscriber, packet: QueuedPacket): void {
    const queue = this.#queues.get(clientId) ?? new SessionQueue()
    this.#queues.set(clientId, queue)
    if (queue.bytes < this.#options.maxBytesPerSession) queue.add(packet)
    else this.#options.onFull(clientId)
  }

  #take(clientId: string, packet: QueuedPacket): QueuedPacket | undefined {
    const queue = this.#queues.get(clientId)
    const taken = queue?.take(packet.messageId ?? 0)
    if (queue?.bytes === 0) this.#queues.delete(clientId)
    return taken
  }
}

/** "No local" of MQTT 5 [MQTT-3.8.3-3]: aedes does not deliver it, so it would stay in the queue. */
function isOwn({ nl, clientId }: Subscriber, packet: QueuedPacket): boolean {
  return nl === true && packet.clientId === clientId
}
