import type { Clock } from '../../pipeline/clock.ts'

/** The socket, as far as its turn needs it. */
export interface WaitingSocket {
  readonly remoteAddress?: string | undefined
  readonly destroyed: boolean
  once(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: () => void): unknown
  destroy(): unknown
}

export interface HandshakeTurnsOptions {
  readonly clock: Pick<Clock, 'after'>
  /** How long a connection may wait for its turn. */
  readonly timeoutMs: number
}

/**
 * 200 handshakes a second. Each takes 0.6 ms of a fast processor, and anyone may begin one:
 * without a limit, one address in a loop takes the event loop from the devices. 1,000 boards are back after 5 s.
 */
const TICK_MS = 20
const PER_TICK = 4
/** Handshakes at once after a pause. */
const BURST = 20

/**
 * Starts TLS handshakes at a limited rate. Addresses take turns, so that one that begins thousands delays no other by
 * more than one handshake. Within an address the latest comes first, since clients of earlier ones have most likely given
 * up.
 */
export class HandshakeTurns {
  readonly #options: HandshakeTurnsOptions
  /** By address, what starts the handshake of each socket. */
  readonly #waiting = new Map<string, Map<WaitingSocket, () => void>>()
  #left = BURST
  #isTicking = false

  constructor(options: HandshakeTurnsOptions) {
    this.#options = options
  }

  add(socket: WaitingSocket, start: () => void): void {
    const { clock, timeoutMs } = this.#options
    const address = socket.remoteAddress ?? ''
    const same = this.#waiting.get(address) ?? new Map()
    this.#waiting.set(address, same.set(socket, start))
    const callOff = clock.after(timeoutMs, () => same.has(socket) && socket.destroy())
    socket.once('close', () => {
      callOff()
      same.delete(socket)
      if (same.size === 0 && this.#waiting.get(address) === same) this.#waiting.delete(address)
    })
    // Without a listener, a reset while it waits would end the process; 'close' follows.
    socket.on('error', () => {})
    this.#go()
    if (!this.#isTicking) this.#tick()
  }

  #tick(): void {
    this.#isTicking = this.#left < BURST
    if (!this.#isTicking) return
    this.#options.clock.after(TICK_MS, () => {
      this.#left = Math.min(BURST, this.#left + PER_TICK)
      this.#go()
      this.#tick()
    })
  }

  #go(): void {
    for (; this.#left > 0; this.#left--) {
      const start = this.#take()
      if (start === undefined) return
      start()
    }
  }

  /** Of the address whose turn it is, which is then the last. */
  #take(): (() => void) | undefined {
    for (const [address, same] of this.#waiting) {
      const latest = [...same].at(-1)
      this.#waiting.delete(address)
      if (latest === undefined) continue
      const [socket, start] = latest
      same.delete(socket)
      if (same.size > 0) this.#waiting.set(address, same)
      if (!socket.destroyed) return start
    }
    return undefined
  }
}
