import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Link } from '../../broker/link.ts'

/** Progress of a current write; undocumented, but `net` itself uses it to detect idle sockets. */
interface Handle {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** Time for the client to read what is written when the connection ends. */
const LINGER_MS = 1_000

/** What TCP reads at once. */
const PIECE_BYTES = 64 * 1024
const NOTHING = Buffer.alloc(0)

/**
 * A TCP socket, or a WebSocket over one, as the network of a client connection.
 *
 * Input is handed on in pieces of 64 KiB, one in each turn and none while paused: a WebSocket message of 17 MiB is one
 * chunk, and no pause could stop its packets.
 */
export class SocketLink implements Link {
  readonly #stream: Duplex
  readonly #network: Socket
  readonly #onOpened: () => void
  #onPiece: (piece: Buffer) => void = () => {}
  /** Of the current chunk. While there is any, nothing more is read. */
  #rest: Buffer = NOTHING
  #isPaused = false
  #isNextDue = false
  readonly address: string

  /** @param stream the socket itself, or the stream inside a WebSocket over it */
  constructor(stream: Duplex, network: Socket, onOpened: () => void) {
    this.#stream = stream
    this.#network = network
    this.#onOpened = onOpened
    this.address = network.remoteAddress ?? ''
  }

  get waitingBytes(): number {
    const inside = this.#stream === this.#network ? 0 : this.#network.writableLength
    return this.#stream.writableLength + inside
  }

  get taken(): number {
    const queued = (this.#network as Handle)._handle?.writeQueueSize ?? 0
    return this.#network.bytesWritten - queued
  }

  /** What the network takes within `write` is followed by no 'drain', even above the high watermark. */
  write(bytes: Buffer): boolean {
    return this.#stream.writable && this.#stream.write(bytes)
  }

  /** To be called once. */
  read(onPiece: (piece: Buffer) => void): void {
    this.#onPiece = onPiece
    this.#stream.on('data', (chunk: Buffer) => {
      this.#rest = chunk
      if (chunk.length > PIECE_BYTES) this.#stream.pause()
      this.#next()
    })
  }

  pause(): void {
    this.#isPaused = true
    this.#stream.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#goOn()
  }

  opened(): void {
    this.#onOpened()
  }

  end(): void {
    const stream = this.#stream
    this.#rest = NOTHING
    if (stream.destroyed) return
    stream.end()
    // Discards further input: closing a socket with unread bytes resets it, and the client would lose the last packet.
    stream.removeAllListeners('data').resume()
    const timer = setTimeout(() => stream.destroy(), LINGER_MS).unref()
    stream.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#rest = NOTHING
    this.#stream.destroy()
  }

  #next(): void {
    const piece = this.#rest.subarray(0, PIECE_BYTES)
    const isLast = this.#rest.length <= PIECE_BYTES
    this.#rest = isLast ? NOTHING : this.#rest.subarray(PIECE_BYTES)
    this.#onPiece(piece)
    if (!isLast || this.#stream.isPaused()) this.#goOn()
  }

  #goOn(): void {
    if (this.#isPaused) return
    if (this.#rest.length === 0) return void this.#stream.resume()
    if (this.#isNextDue) return
    this.#isNextDue = true
    setImmediate(() => {
      this.#isNextDue = false
      if (!this.#isPaused && this.#rest.length > 0) this.#next()
    })
  }
}
