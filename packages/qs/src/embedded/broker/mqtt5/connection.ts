import { Duplex } from 'node:stream'
import type { Client } from 'aedes'
import type { Packet } from 'mqtt-packet'
import type { Mqtt5Session } from './connect.ts'
import { endReason } from './end-reason.ts'
import { PacketFrames } from './packet-frames.ts'
import type { PropertyCarrier } from './property-carrier.ts'
import { Translation } from './translation.ts'
import { WrittenPackets } from './written-packets.ts'

export interface Mqtt5ConnectionOptions {
  readonly maxPacketBytes: number
  readonly carrier: PropertyCarrier
  readonly isStopping: () => boolean
}

/** Undeclared parts of aedes' client. */
interface ClientParts {
  readonly _parser: NodeJS.EventEmitter
  readonly subscriptions: Readonly<Record<string, unknown>>
}

/** Above this, aedes has to wait, as for a socket with a full buffer. */
const MAX_WAITING_BYTES = 64 * 1024
/** Messages held because the client's receive window is full. */
const MAX_HELD_BYTES = 1024 * 1024
/** More than aedes and held messages together can add. */
const MAX_DEAF_BYTES = 2 * MAX_HELD_BYTES
const LINGER_MS = 1_000

/**
 * A connection that speaks 3.1.1, given to aedes in place of the network connection of an MQTT 5 client.
 *
 * Towards aedes it is an ordinary readable, which reads from the network only while aedes reads from it. Towards the
 * client it implements `write` itself: a `Writable` passes on nothing while it waits, but the PUBREL behind a held
 * message is what reopens the window. aedes relies on the return value of `write` and on 'drain'. All writes of aedes
 * in one turn of the event loop leave in one write, where a plain socket gets one per message.
 *
 * It ends when aedes closes it, and sends the client the reason (`endReason`) if the protocol allows it.
 */
export class Mqtt5Connection extends Duplex {
  readonly #network: Duplex
  readonly #options: Mqtt5ConnectionOptions
  readonly #translation: Translation
  readonly #read = new PacketFrames()
  readonly #written: WrittenPackets
  #client: ClientParts | null = null
  #isPeerGone = false
  #wantsMore = false
  #isFlushDue = false
  #needsDrain = false

  constructor(network: Duplex, options: Mqtt5ConnectionOptions) {
    super()
    this.#network = network
    this.#options = options
    this.#written = new WrittenPackets(options.carrier)
    this.#translation = new Translation({
      ...options,
      isSubscribed: (filter) => this.#client?.subscriptions[filter] !== undefined,
    })
  }

  /** Null before CONNECT. */
  get session(): Mqtt5Session | null {
    return this.#translation.session
  }

  get remoteAddress(): string | undefined {
    return (this.#network as { remoteAddress?: string }).remoteAddress
  }

  /** Bytes for the client from aedes and the translation that the network has not accepted. */
  get waitingBytes(): number {
    return this.#written.length + this.#network.writableLength + this.#translation.heldBytes
  }

  /** Reports to the client that it may not publish the message with this packet identifier. */
  refusePublish(packetId: number): void {
    this.#translation.refusals.add(packetId)
  }

  /** Makes the refusing CONNACK use 0x97. */
  refuseForQuota(): void {
    this.#translation.isOverQuota = true
  }

  /** @param client created by aedes for this connection, before its first read */
  attach(client: Client): void {
    this.#network.on('readable', () => this.#pull())
    this.#network.on('drain', () => {
      this.#drained()
      this.#pull()
    })
    this.#network.on('end', () => this.#endedByPeer())
    this.#network.on('error', (error) => this.destroy(error))
    // After 'end', aedes still has to read the preceding bytes.
    this.#network.on('close', () => this.#isPeerGone || this.destroy())
    this.#client = client as unknown as ClientParts
    this.#client._parser.prependListener('packet', (packet: Packet) =>
      this.#translation.asides.parsed(packet),
    )
  }

  override _read(): void {
    this.#wantsMore = true
    this.#pull()
  }

  override write(chunk: Uint8Array | string): boolean {
    if (this.destroyed) return true
    this.#written.append(chunk)
    if (!this.#isFlushDue) {
      this.#isFlushDue = true
      setImmediate(() => this.#flush())
    }
    if (!this.#isFull()) return true
    this.#needsDrain = true
    return false
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const network = this.#network
    if (!network.destroyed) {
      this.#translate()
      if (!this.#isPeerGone) this.#translation.farewell(endReason(error, this.#options.isStopping()))
      network.end(this.#translation.toClient.take())
      // Discards further input: closing a socket with unread bytes resets it, and the client would lose the last
      // packet.
      network.removeAllListeners('readable').resume()
      const timer = setTimeout(() => network.destroy(), LINGER_MS).unref()
      network.once('close', () => clearTimeout(timer))
    }
    callback(error)
  }

  #endedByPeer(): void {
    this.#isPeerGone = true
    this.push(null)
  }

  #pull(): void {
    while (this.#wantsMore && !this.destroyed && !this.#translation.isEnded && !this.#isPeerDeaf()) {
      const chunk = this.#network.read() as Buffer | null
      if (chunk === null) return
      this.#receive(chunk)
    }
  }

  #receive(chunk: Buffer): void {
    this.#translation.toBroker.reserve(chunk.length)
    try {
      for (const frame of this.#read.add(chunk)) {
        this.#translation.fromClient(frame)
        // What follows a DISCONNECT is ignored [MQTT-3.14.4-1].
        if (this.#translation.isEnded) break
      }
    } catch (error) {
      this.destroy(error as Error)
      return
    }
    this.#flush()
    if (this.#translation.isEnded) this.#endedByPeer()
  }

  #flush(): void {
    this.#isFlushDue = false
    if (this.destroyed) return
    this.#translate()
    const { toBroker, toClient } = this.#translation
    if (toBroker.length > 0 && !this.#isPeerGone) this.#wantsMore = this.push(toBroker.take())
    if (toClient.length > 0) this.#network.write(toClient.take())
    this.#drained()
  }

  #translate(): void {
    try {
      this.#written.drain((frame, properties) => this.#translation.fromBroker(frame, properties))
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #isFull(): boolean {
    const waiting = this.#written.length + this.#network.writableLength
    return waiting > MAX_WAITING_BYTES || this.#translation.heldBytes > MAX_HELD_BYTES
  }

  /** A client that keeps sending requests without reading the answers, which aedes does not control. */
  #isPeerDeaf(): boolean {
    return this.#network.writableLength > MAX_DEAF_BYTES
  }

  #drained(): void {
    if (!this.#needsDrain || this.#isFull()) return
    this.#needsDrain = false
    this.emit('drain')
  }
}
