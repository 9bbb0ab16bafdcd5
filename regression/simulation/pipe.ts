import type { World } from './world.ts'

/** The most that arrives at once. */
export const MAX_CHUNK_BYTES = 512

/** One direction of a TCP connection: bytes stay in order, arrive in pieces and late, or not at all. */
export class Pipe {
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
