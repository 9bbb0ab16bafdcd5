import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import type { ReadGate } from './read-gate.ts'
import type { QueuedPacket } from './session-queue.ts'
import type { SessionStore } from './session-store.ts'

interface Subscriptions {
  subscriptionsByTopic(topic: string): Promise<readonly { readonly clientId: string }[]>
}

/** About half a second of small events. */
const BEHIND_BYTES = 4 * 1024 * 1024
/** Per device: 500 single events, 3,000 in arrays, or one message of maximum size. */
const DEVICE_BEHIND_BYTES = 256 * 1024

export interface IngestSessionOptions {
  readonly clientId: string
  readonly store: SessionStore
  readonly readGate: ReadGate
}

/**
 * The session of the ingester in this process. The ingester pauses reading while PostgreSQL is slow, so this queue is
 * the buffer of the whole pipeline:
 *
 * - A message with QoS 0 enters the queue as QoS 1, as with Mosquitto's `upgrade_outgoing_qos`: it survives a slow
 *   database and a reconnect of the ingester, up to the size of the queue.
 * - While a device has more than 256 KiB in the queue, its connection is not read. All others thus wait for at most
 *   256 KiB of it, regardless of the cost of its messages and the speed of the machine.
 * - While the whole queue is long, this applies to every client that publishes an event.
 *
 * After a second, a connection is read once in any case, so a single device waits at most a second.
 */
export class IngestSession {
  readonly #options: IngestSessionOptions
  /** Paused connections, each with the topic of its last event. */
  readonly #held = new Map<Duplex, string>()
  #look: NodeJS.Immediate | undefined
  #persistence!: Subscriptions

  constructor(options: IngestSessionOptions) {
    this.#options = options
  }

  attach(broker: Aedes): void {
    this.#persistence = (broker as unknown as { readonly persistence: Subscriptions }).persistence
    const { clientId: ours, store } = this.#options
    store.watch((clientId) => {
      // Once per read, for all its PUBACKs.
      if (this.#held.size > 0 && clientId === ours) this.#look ??= setImmediate(() => this.#release())
    })
  }

  /** Pauses reading until the message is routed: aedes would read on, up to fifteen messages of 90 KB per turn. */
  arrived(client: Client): void {
    if (client.id !== this.#options.clientId) this.#options.readGate.hold(client.conn as Duplex)
  }

  readonly published: Aedes['published'] = (packet, client, done) => {
    const { topic, qos } = packet
    const { clientId, store, readGate } = this.#options
    if (client === null || client.id === clientId) return done(null)
    const connection = client.conn as Duplex
    const readOn = () => {
      if (!this.#held.has(connection)) readGate.release(connection)
      done(null)
    }
    if (topic.startsWith('$') || (qos > 0 && !this.#isBehind(topic))) return readOn()
    this.#isForUs(topic).then((isForUs) => {
      if (isForUs && qos === 0)
        store.enqueue(clientId, { ...(packet as QueuedPacket), qos: 1, retain: false })
      if (isForUs && this.#isBehind(topic)) this.#hold(connection, topic)
      readOn()
    })
  }

  async #isForUs(topic: string): Promise<boolean> {
    const subscribers = await this.#persistence.subscriptionsByTopic(topic)
    return subscribers.some(({ clientId }) => clientId === this.#options.clientId)
  }

  #isBehind(topic: string): boolean {
    const queue = this.#options.store.queueOf(this.#options.clientId)
    if (queue === undefined) return false
    return queue.bytes > BEHIND_BYTES || queue.bytesOn(topic) > DEVICE_BEHIND_BYTES
  }

  #hold(connection: Duplex, topic: string): void {
    this.#held.set(connection, topic)
    this.#options.readGate.hold(connection)
  }

  #release(): void {
    this.#look = undefined
    for (const [connection, topic] of this.#held) {
      if (this.#isBehind(topic)) continue
      this.#held.delete(connection)
      this.#options.readGate.release(connection)
    }
  }
}
