import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Link } from '../../broker/link.ts'

/** Progress of a current write; undocumented, but `net` itself uses it to detect idle sockets. */
interface Handle {
  readonly _handle?: { readonly writeQueueSize?: number } | null
}

/** Time for the client to read what is written when the connection ends. */
const LINGER_MS = 1_000

/** A TCP socket, or a WebSocket over one, as the network of a client connection. */
export class SocketLink implements Link {
  readonly #stream: Duplex
  readonly #network: Socket
  readonly #onOpened: () => void
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

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  opened(): void {
    this.#onOpened()
  }

  end(): void {
    const stream = this.#stream
    if (stream.destroyed) return
    stream.end()
    // Discards further input: closing a socket with unread bytes resets it, and the client would lose the last packet.
    stream.removeAllListeners('data').resume()
    const timer = setTimeout(() => stream.destroy(), LINGER_MS).unref()
    stream.once('close', () => clearTimeout(timer))
  }

  destroy(): void {
    this.#stream.destroy()
  }
}
