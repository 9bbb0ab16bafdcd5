import type { Duplex } from 'node:stream'
import { topicMatches } from '@qs-telemetry/protocol'
import type { Client } from 'aedes'
import { type Packet, writeToStream } from 'mqtt-packet'
import { isInProcess } from './in-process.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import type { QueuedPacket, SessionQueue } from './session-queue.ts'
import type { SessionStore } from './session-store.ts'

/** A message as aedes brings it to a subscription. */
interface Delivered extends QueuedPacket {
  /** Null on a retained message that a new subscription gets. */
  readonly brokerId: string | null
  readonly topic: string
  readonly nl?: boolean
}

type Deliver = (packet: Delivered, done: () => void) => void

/** The parts of aedes' client that it does not declare. */
interface ClientParts {
  deliver0: Deliver
  deliverQoS: Deliver
  readonly closed: boolean
  readonly subscriptions: Readonly<Record<string, { readonly qos: number }>>
}

/** What the network has taken and not taken. */
interface Network {
  readonly bytesWritten?: number
  readonly writableLength: number
  /** Shows the progress of a write under way; undocumented, but `net` itself tells an idle socket by it. */
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

export interface OutletOptions {
  readonly store: SessionStore
  /** Where bytes leave the process: a socket, also below a WebSocket. */
  readonly network: Network
  readonly ingesterId: string | undefined
  readonly mayReceive: (client: Client, topic: string) => boolean
  readonly hasExpired: (payload: Uint8Array | string) => boolean
  readonly onDrop: () => void
}

/** Above it a message of QoS 0 is dropped. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Above it messages of QoS 1 and 2 stay in the queue. */
const QUEUE_ABOVE_BYTES = 64 * 1024
const DEAF_MS = 5_000

/**
 * The way of messages to one client, in place of aedes' own (`deliver0`, `deliverQoS`), which holds a place among the
 * broker's 100 until the client has read: one stopped subscriber made all others wait for 58 s.
 *
 * Here nobody waits for a client. A message of QoS 1 or 2 goes into the queue of the session, which a clean session
 * has too while it is connected, and leaves it when the client has room. A message of QoS 0 is written at once, or
 * dropped when too much waits. `isDeaf` tells a client that takes nothing for 5 s.
 */
export class Outlet {
  readonly #client: Client & ClientParts
  readonly #options: OutletOptions
  #isStarted = false
  #awaitsDrain = false
  #dropped = 0
  /** The message that subscriptions of this client are being offered, and whether one of them has QoS 1 or 2. */
  #offered: { readonly packet: Delivered; isQos: boolean } | null = null
  /** Continue streams of retained messages. */
  readonly #onRoom: (() => void)[] = []
  /** How far the network has got with what waits for it; null: nothing waits. */
  #untaken: string | null = null
  #untakenSinceMs = 0

  constructor(client: Client, options: OutletOptions) {
    this.#client = client as Client & ClientParts
    this.#options = options
  }

  get client(): Client {
    return this.#client
  }

  /** Messages of QoS 0 that the client was too slow for. */
  get dropped(): number {
    return this.#dropped
  }

  get isInProcess(): boolean {
    return isInProcess(this.#options.network)
  }

  attach(): void {
    this.#client.deliver0 = (packet, done) => this.#deliver(packet, false, done)
    this.#client.deliverQoS = (packet, done) => this.#deliver(packet, true, done)
  }

  /** After CONNACK. */
  start(): void {
    const { store } = this.#options
    const { id, clean } = this.#client
    // [MQTT-3.1.2-6]
    if (clean) store.forget(id)
    this.#isStarted = true
    store.queueOf(id)?.rewind()
    this.pump()
  }

  /** Sends what is queued, as far as there is room. */
  pump(): void {
    if (!this.#isStarted || this.#client.closed) return
    const { store } = this.#options
    const queue = store.queueOf(this.#client.id)
    for (let packet = this.#next(queue); packet !== undefined; packet = this.#next(queue)) {
      if (this.#isDue(packet)) this.#write(packet)
      else store.discard(this.#client.id, packet.messageId ?? 0)
    }
    this.#roomMade()
  }

  #next(queue: SessionQueue | undefined): QueuedPacket | undefined {
    const { conn } = this.#client
    const receiveMaximum = conn instanceof Mqtt5Connection ? conn.session?.receiveMaximum : undefined
    if (this.#waitingBytes() <= QUEUE_ABOVE_BYTES) return queue?.next(receiveMaximum)
    this.#whenDrained()
    return undefined
  }

  /** PUBREL and a message whose delivery has started take their course [MQTT-4.4.0-1]. */
  #isDue({ topic, payload = '', dup }: QueuedPacket): boolean {
    if (topic === undefined) return true
    const { mayReceive, hasExpired } = this.#options
    return mayReceive(this.#client, topic) && (dup === true || !hasExpired(payload))
  }

  /** Whether bytes wait and the network has taken none of them for 5 s. Asked about once a second. */
  isDeaf(nowMs: number): boolean {
    const { bytesWritten = 0, writableLength, _handle } = this.#options.network
    const untaken =
      writableLength === 0 ? null : `${bytesWritten - writableLength} ${_handle?.writeQueueSize}`
    if (untaken === null || untaken !== this.#untaken) this.#untakenSinceMs = nowMs
    this.#untaken = untaken
    return nowMs - this.#untakenSinceMs >= DEAF_MS
  }

  #deliver(packet: Delivered, isQos: boolean, done: () => void): void {
    if (packet.brokerId === null) return this.#deliverRetained(packet, done)
    setImmediate(done)
    // No local [MQTT-3.8.3-3].
    if (packet.nl === true && packet.clientId === this.#client.id) return
    // aedes offers a message to all subscriptions that match it at once. The client gets it once [MQTT-3.3.5-1].
    const offered = this.#offered
    if (offered !== null && offered.packet.brokerCounter === packet.brokerCounter) {
      offered.isQos ||= isQos
      return
    }
    this.#takeOffer()
    this.#offered = { packet, isQos }
    queueMicrotask(() => this.#takeOffer())
  }

  #takeOffer(): void {
    if (this.#offered === null) return
    const { packet, isQos } = this.#offered
    this.#offered = null
    if (!isQos || !packet.qos) {
      // Our own ingester gets it as QoS 1: see `IngestSession`.
      if (this.#client.id !== this.#options.ingesterId) this.#sendOrDrop(packet)
    }
    // The message is in the queue of a durable session already.
    else if (this.#client.clean) this.#enqueue(packet)
  }

  /** Waits until the client has room, so that the store is read no faster than the client reads. */
  #deliverRetained(packet: Delivered, done: () => void): void {
    if (!this.#hasRoom()) {
      this.#onRoom.push(() => this.#deliverRetained(packet, done))
      return this.#whenDrained()
    }
    if (packet.qos && this.#granted(packet.topic) > 0) this.#enqueue(packet)
    else this.#sendOrDrop(packet)
    setImmediate(done)
  }

  #enqueue(packet: Delivered): void {
    const qos = packet.qos === 2 ? Math.min(2, this.#granted(packet.topic)) : 1
    this.#options.store.enqueue(this.#client.id, { ...packet, qos })
  }

  /** The highest QoS of the subscriptions that match the topic. */
  #granted(topic: string): number {
    let granted = 0
    for (const [filter, { qos }] of Object.entries(this.#client.subscriptions)) {
      if (qos > granted && topicMatches(filter, topic)) granted = qos
    }
    return granted
  }

  #sendOrDrop(packet: Delivered): void {
    if (!this.#isStarted || this.#client.closed) return
    if (!this.#isDue({ ...packet, dup: false })) return
    if (this.#waitingBytes() <= MAX_WAITING_BYTES) return this.#write({ ...packet, qos: 0, dup: false })
    this.#dropped++
    this.#options.onDrop()
  }

  #write(packet: QueuedPacket): void {
    writeToStream(packet as Packet, this.#client.conn as Duplex)
  }

  #waitingBytes(): number {
    const { conn } = this.#client
    return conn instanceof Mqtt5Connection ? conn.waitingBytes : (conn as Duplex).writableLength
  }

  #hasRoom(): boolean {
    const unacknowledgedBytes = this.#options.store.bytesOf(this.#client.id)
    return this.#waitingBytes() <= QUEUE_ABOVE_BYTES && unacknowledgedBytes <= MAX_WAITING_BYTES
  }

  #whenDrained(): void {
    if (this.#awaitsDrain) return
    this.#awaitsDrain = true
    this.#client.conn.once('drain', () => {
      this.#awaitsDrain = false
      this.pump()
    })
  }

  #roomMade(): void {
    while (this.#onRoom.length > 0 && this.#hasRoom()) this.#onRoom.shift()?.()
  }
}
