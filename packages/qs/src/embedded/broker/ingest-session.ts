import type { Duplex } from 'node:stream'
import type { Aedes, Client } from 'aedes'
import type { ReadGate } from './read-gate.ts'
import type { QueuedPacket } from './session-queue.ts'
import type { SessionStore } from './session-store.ts'

interface Subscriptions {
  subscriptionsByTopic(topic: string): Promise<readonly { readonly clientId: string }[]>
}

/** Half a second of small events. */
const BEHIND_BYTES = 4 * 1024 * 1024
/** Of one device: 500 single events, 3,000 in arrays, or one message of the largest. */
const DEVICE_BEHIND_BYTES = 256 * 1024

export interface IngestSessionOptions {
  readonly clientId: string
  readonly store: SessionStore
  readonly readGate: ReadGate
}

/**
 * The session of our own ingester. It pauses reading while PostgreSQL is slow, so its queue is the buffer of the
 * whole pipeline:
 *
 * - A message of QoS 0 enters that queue as QoS 1, as with Mosquitto's `upgrade_outgoing_qos`: it survives a slow
 *   database and a reconnect of the ingester, up to the size of the queue.
 * - While a device has more than 256 KiB in the queue, nothing is read from the connection that publishes for it. All
 *   others thus wait for 256 KiB of it at most, whatever its messages cost and however slow the machine is.
 * - While the whole queue is long, the same holds for each client that publishes an event.
 *
 * After a second a connection is read once in any case, so a lone device waits a second at most.
 */
export class IngestSession {
  readonly #options: IngestSessionOptions
  /** Connections that are not read, with the topic of the last event that came over each. */
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
      // Once for all PUBACKs of a read.
      if (this.#held.size > 0 && clientId === ours) this.#look ??= setImmediate(() => this.#release())
    })
  }

  /** aedes has yet to route what this client sent, and would go on reading: fifteen messages of 90 KB in a turn. */
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
