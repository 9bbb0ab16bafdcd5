import { Duplex } from 'node:stream'
import { MAX_CHUNK_BYTES, Pipe } from './pipe.ts'
import type { World } from './world.ts'

/** The broker's side of a connection. */
export interface BrokerEnd {
  onBytes(bytes: Buffer): void
  onClose(): void
}

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
    this.cutNear()
    this.cutFar()
  }

  /** Only the ingester learns of it: what the broker sends is lost. */
  cutNear(): void {
    const { timeline, random } = this.#world
    const ms = random.next() * 20
    this.#toIngester.dieAfter(ms)
    this.#toBroker.dieAfter(random.next() * 20)
    timeline.after(ms, () => {
      if (!this.socket.destroyed) this.socket.destroy(new Error('read ECONNRESET'))
    })
  }

  /** Only the broker learns of it: the ingester receives nothing more. */
  cutFar(): void {
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
