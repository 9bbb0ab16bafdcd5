import type { Duplex } from 'node:stream'
import { topicMatches } from '@qs-telemetry/protocol'
import type { Client } from 'aedes'
import { type Packet, writeToStream } from 'mqtt-packet'
import { isInProcess } from './in-process.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import type { QueuedPacket, SessionQueue } from './session-queue.ts'
import type { SessionStore } from './session-store.ts'

/** A message as delivered by aedes to a subscription. */
interface Delivered extends QueuedPacket {
  /** Null for a retained message to a new subscription. */
  readonly brokerId: string | null
  readonly topic: string
  readonly nl?: boolean
}

type Deliver = (packet: Delivered, done: () => void) => void

/** Undeclared parts of aedes' client. */
interface ClientParts {
  deliver0: Deliver
  deliverQoS: Deliver
  readonly closed: boolean
  readonly subscriptions: Readonly<Record<string, { readonly qos: number }>>
}

/** Write state of the network socket. */
interface Network {
  readonly bytesWritten?: number
  readonly writableLength: number
  /** Progress of a current write; undocumented, but `net` uses it to detect idle sockets. */
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

export interface OutletOptions {
  readonly store: SessionStore
  /** The network socket, also underneath a WebSocket. */
  readonly network: Network
  readonly ingesterId: string | undefined
  readonly mayReceive: (client: Client, topic: string) => boolean
  readonly hasExpired: (payload: Uint8Array | string) => boolean
  readonly onDrop: () => void
}

/** Above this, QoS 0 messages are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Above this, QoS 1 and 2 messages stay in the queue. */
const QUEUE_ABOVE_BYTES = 64 * 1024
const DEAF_MS = 5_000

/**
 * Delivers messages to one client, replacing aedes' own functions (`deliver0`, `deliverQoS`), which occupy one of the
 * broker's 100 slots until the client has read: one stopped subscriber made all others wait for 58 s.
 *
 * Here no client delays another. A QoS 1 or 2 message goes into the queue of the session, which even a clean session
 * has while connected, and leaves it when the client has room. A QoS 0 message is written at once, or dropped if too
 * much is waiting. `isDeaf` detects a client that reads nothing for 5 s.
 */
export class Outlet {
  readonly #client: Client & ClientParts
  readonly #options: OutletOptions
  #isStarted = false
  #awaitsDrain = false
  #dropped = 0
  /** The message currently offered to this client's subscriptions, and whether one of them has QoS 1 or 2. */
  #offered: { readonly packet: Delivered; isQos: boolean } | null = null
  /** Callbacks that continue streams of retained messages. */
  readonly #onRoom: (() => void)[] = []
  /** Progress of the network with waiting bytes; null: none wait. */
  #untaken: string | null = null
  #untakenSinceMs = 0

  constructor(client: Client, options: OutletOptions) {
    this.#client = client as Client & ClientParts
    this.#options = options
  }

  get client(): Client {
    return this.#client
  }

  /** QoS 0 messages dropped because the client was too slow. */
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

  /** Call it after CONNACK. */
  start(): void {
    const { store } = this.#options
    const { id, clean } = this.#client
    // [MQTT-3.1.2-6]
    if (clean) store.forget(id)
    this.#isStarted = true
    store.queueOf(id)?.rewind()
    this.pump()
  }

  /** Sends queued messages while there is room. */
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

  /** PUBREL and a message whose delivery has started are always sent [MQTT-4.4.0-1]. */
  #isDue({ topic, payload = '', dup }: QueuedPacket): boolean {
    if (topic === undefined) return true
    const { mayReceive, hasExpired } = this.#options
    return mayReceive(this.#client, topic) && (dup === true || !hasExpired(payload))
  }

  /** Whether bytes are waiting and the network has accepted none for 5 s. Call it about once a second. */
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
    // aedes offers a message to all matching subscriptions; the client gets it once [MQTT-3.3.5-1].
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
      // The ingester of this process gets it as QoS 1: see `IngestSession`.
      if (this.#client.id !== this.#options.ingesterId) this.#sendOrDrop(packet)
    }
    // A durable session already has the message in its queue.
    else if (this.#client.clean) this.#enqueue(packet)
  }

  /** Waits until the client has room, so that the store is read only as fast as the client reads. */
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
