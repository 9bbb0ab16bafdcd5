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

/** The parts of aedes' client that it does not declare. */
interface ClientParts {
  readonly _parser: NodeJS.EventEmitter
  readonly subscriptions: Readonly<Record<string, unknown>>
}

/** Beyond it aedes has to wait, as for a socket whose buffer is full. */
const MAX_WAITING_BYTES = 64 * 1024
/** Messages that wait for the window of the client, which has had 65,535 or as many as it wanted. */
const MAX_HELD_BYTES = 1024 * 1024
/** Above what aedes and held messages together put there. */
const MAX_DEAF_BYTES = 2 * MAX_HELD_BYTES
const LINGER_MS = 1_000

/**
 * What aedes gets in place of the network connection of an MQTT 5 client: a connection that speaks 3.1.1.
 *
 * Towards aedes it is an ordinary readable, which reads from the network only while aedes reads from it.
 * Towards the client `write` is our own: a `Writable` hands on nothing more while it waits, and the PUBREL
 * behind a held message is what opens the window again. Its answer and 'drain' are what aedes goes by. What
 * aedes writes in one turn of the event loop leaves in one write, where a plain socket gets one for each
 * message.
 *
 * It ends when aedes says so, and tells the client why (`endReason`) where the version of its packets allows
 * it.
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

  /** What aedes and the translation have for the client and the network has not taken. */
  get waitingBytes(): number {
    return this.#written.length + this.#network.writableLength + this.#translation.heldBytes
  }

  /** The client may not publish what it has just sent with this packet identifier, and is told so. */
  refusePublish(packetId: number): void {
    this.#translation.refusals.add(packetId)
  }

  /** Its CONNACK, which is to refuse it, says 0x97. */
  refuseForQuota(): void {
    this.#translation.isOverQuota = true
  }

  /** @param client that aedes made for this connection, and that has not read from it yet */
  attach(client: Client): void {
    this.#network.on('readable', () => this.#pull())
    this.#network.on('drain', () => {
      this.#drained()
      this.#pull()
    })
    this.#network.on('end', () => this.#endedByPeer())
    this.#network.on('error', (error) => this.destroy(error))
    // After 'end', aedes still has to read what came before it.
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
      // Reading on, for nobody: closed with bytes unread, a socket is reset, and the client loses the last
      // words.
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

  /** Asks and asks and does not read the answers; those that aedes has no part in are not in its hands. */
  #isPeerDeaf(): boolean {
    return this.#network.writableLength > MAX_DEAF_BYTES
  }

  #drained(): void {
    if (!this.#needsDrain || this.#isFull()) return
    this.#needsDrain = false
    this.emit('drain')
  }
}
