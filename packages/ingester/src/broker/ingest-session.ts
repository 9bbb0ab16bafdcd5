import type { Aedes } from 'aedes'
import type { QueuedPacket } from './session-queue.ts'
import type { SessionStore } from './session-store.ts'

interface Subscriptions {
  subscriptionsByTopic(topic: string): Promise<readonly { readonly clientId: string }[]>
}

/** Half a second of small events. Up to it, nobody who publishes notices that PostgreSQL is slow. */
const BEHIND_BYTES = 4 * 1024 * 1024
const MAX_HOLD_MS = 1_000

/**
 * The session of our own ingester. It pauses reading while PostgreSQL is slow, so its queue is the buffer of the
 * whole pipeline:
 *
 * - A message of QoS 0 enters that queue as QoS 1, as with Mosquitto's `upgrade_outgoing_qos`: it survives a slow
 *   database and a reconnect of the ingester, up to the size of the queue.
 * - While the queue is long, the connection of each client that publishes an event is read no faster than one
 *   chunk (64 KiB) a second. A flood thus waits at its sender, and a lone device waits a second at most.
 */
export class IngestSession {
  readonly #clientId: string
  readonly #store: SessionStore
  readonly #held: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #persistence!: Subscriptions

  constructor(clientId: string, store: SessionStore) {
    this.#clientId = clientId
    this.#store = store
  }

  attach(broker: Aedes): void {
    this.#persistence = (broker as unknown as { readonly persistence: Subscriptions }).persistence
    this.#store.watch((clientId) => {
      if (this.#held.length > 0 && clientId === this.#clientId && !this.#isBehind()) this.#letGo()
    })
    broker.on('closed', () => this.#letGo())
  }

  readonly published: Aedes['published'] = (packet, client, done) => {
    if (client === null || packet.topic.startsWith('$')) return done(null)
    if (packet.qos > 0 && !this.#isBehind()) return done(null)
    this.#isForUs(packet.topic).then((isForUs) => {
      if (isForUs && packet.qos === 0)
        this.#store.enqueue(this.#clientId, { ...(packet as QueuedPacket), qos: 1, retain: false })
      if (isForUs && this.#isBehind()) this.#hold(() => done(null))
      else done(null)
    })
  }

  async #isForUs(topic: string): Promise<boolean> {
    const subscribers = await this.#persistence.subscriptionsByTopic(topic)
    return subscribers.some(({ clientId }) => clientId === this.#clientId)
  }

  #isBehind(): boolean {
    return this.#store.bytesOf(this.#clientId) > BEHIND_BYTES
  }

  #hold(letGo: () => void): void {
    this.#held.push(letGo)
    this.#timer ??= setTimeout(() => this.#letGo(), MAX_HOLD_MS).unref()
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const letGo of this.#held.splice(0)) letGo()
  }
}
