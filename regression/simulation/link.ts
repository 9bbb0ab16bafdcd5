import { Duplex } from 'node:stream'
import type { World } from './world.ts'

/** The broker's side of a connection. */
export interface BrokerEnd {
  onBytes(bytes: Buffer): void
  onClose(): void
}

/** The most that arrives at once. */
export const MAX_CHUNK_BYTES = 512

/**
 * A TCP connection between an ingester and the broker. Bytes stay in order, arrive in pieces and late, stall in a
 * black hole and continue after it; either end may learn of its end at once, late or never.
 */
export class Link {
  readonly name: string
  readonly socket: Duplex
  readonly #world: World
  readonly #toIngester: Pipe
  readonly #toBroker: Pipe
  #brokerEnd: BrokerEnd | null

  constructor(name: string, world: World, brokerEnd: BrokerEnd) {
    this.name = name
    this.#world = world
    this.#brokerEnd = brokerEnd
    this.#toBroker = new Pipe(world, (bytes) => this.#brokerEnd?.onBytes(bytes))
    const waiting: Buffer[] = []
    let wants = false
    const feed = () => {
      while (wants && waiting.length > 0) wants = this.socket.push(waiting.shift())
    }
    this.#toIngester = new Pipe(world, (bytes) => {
      if (this.socket.destroyed) return
      waiting.push(bytes)
      feed()
    })
    this.socket = new Duplex({
      allowHalfOpen: false,
      highWaterMark: MAX_CHUNK_BYTES,
      read: () => {
        wants = true
        feed()
      },
      write: (bytes: Buffer, _, done) => {
        this.#toBroker.write(bytes)
        done()
      },
      final: (done) => {
        this.#toBroker.end(() => {
          this.closeBroker()
          if (!this.socket.destroyed) this.socket.push(null)
        })
        done()
      },
      destroy: (error, done) => {
        this.#toBroker.end(() => this.closeBroker())
        done(error)
      },
    })
    // Ignores errors after the ingester has dropped the socket.
    this.socket.on('error', () => {})
  }

  send(bytes: Buffer): void {
    this.#toIngester.write(bytes)
  }

  /** The broker closes it cleanly: everything sent before arrives. */
  close(): void {
    this.#brokerEnd = null
    this.#toIngester.end(() => this.socket.destroy())
  }

  /** Both ends learn of it, each in its own time; bytes under way are lost from some point on. */
  cut(): void {
    this.cutIngester()
    this.cutBroker()
  }

  /** Only the ingester learns of it: what the broker sends is lost. */
  cutIngester(): void {
    const { timeline, random } = this.#world
    const ms = random.next() * 20
    this.#toIngester.dieAfter(ms)
    this.#toBroker.dieAfter(random.next() * 20)
    timeline.after(ms, () => {
      if (!this.socket.destroyed) this.socket.destroy(new Error('read ECONNRESET'))
    })
  }

  /** Only the broker learns of it: the ingester receives nothing more. */
  cutBroker(): void {
    const { timeline, random } = this.#world
    const ms = random.next() * 20
    this.#toIngester.dieAfter(random.next() * 20)
    this.#toBroker.dieAfter(ms)
    timeline.after(ms, () => this.closeBroker())
  }

  /** Nothing passes for this long, then everything, as TCP retransmits. */
  blackHole(ms: number): void {
    this.#toIngester.holdFor(ms)
    this.#toBroker.holdFor(ms)
  }

  closeBroker(): void {
    const end = this.#brokerEnd
    this.#brokerEnd = null
    end?.onClose()
  }
}

/** One direction. */
class Pipe {
  readonly #world: World
  readonly #arrive: (bytes: Buffer) => void
  #freeAtMs = 0
  #diesAtMs = Number.POSITIVE_INFINITY
  /** The last packet while it is under way. */
  #last: { readonly pieces: Buffer[]; length: number } | null = null

  constructor(world: World, arrive: (bytes: Buffer) => void) {
    this.#world = world
    this.#arrive = arrive
  }

  write(bytes: Buffer): void {
    const { random, faults } = this.#world
    for (let at = 0; at < bytes.length; ) {
      const most = random.chance(faults.splitChance) ? random.between(1, 200) : MAX_CHUNK_BYTES
      const piece = Buffer.from(bytes.subarray(at, at + most))
      at += piece.length
      this.#send(piece)
    }
  }

  /** Joins bytes written before that have not arrived yet, or travels alone. */
  #send(piece: Buffer): void {
    const { random } = this.#world
    const last = this.#last
    if (last !== null && last.length + piece.length <= MAX_CHUNK_BYTES && random.chance(0.5)) {
      last.pieces.push(piece)
      last.length += piece.length
      return
    }
    const packet = { pieces: [piece], length: piece.length }
    this.#last = packet
    this.#later(() => {
      if (this.#last === packet) this.#last = null
      this.#arrive(packet.pieces.length === 1 ? piece : Buffer.concat(packet.pieces))
    })
  }

  /** Calls `act` after everything written has arrived. */
  end(act: () => void): void {
    this.#last = null
    this.#later(act)
  }

  dieAfter(ms: number): void {
    this.#diesAtMs = Math.min(this.#diesAtMs, this.#world.timeline.nowMs + ms)
  }

  holdFor(ms: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#world.timeline.nowMs + ms)
  }

  #later(act: () => void): void {
    const { timeline, random, faults } = this.#world
    const { nowMs } = timeline
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs + faults.latencyMs * (0.5 + random.next()))
    timeline.at(this.#freeAtMs, () => {
      if (timeline.nowMs < this.#diesAtMs) act()
    })
  }
}
