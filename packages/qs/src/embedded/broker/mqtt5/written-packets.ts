import { GatheredBytes } from './gathered-bytes.ts'
import { PacketFrames } from './packet-frames.ts'
import type { PropertyCarrier } from './property-carrier.ts'

/** Output of aedes that is not translated yet: each `append` adds a part of a packet. */
export class WrittenPackets {
  readonly #carrier: PropertyCarrier
  readonly #bytes = new GatheredBytes()
  /** Properties by end position of their PUBLISH. */
  readonly #properties = new Map<number, Buffer>()

  constructor(carrier: PropertyCarrier) {
    this.#carrier = carrier
  }

  get length(): number {
    return this.#bytes.length
  }

  append(part: Uint8Array | string): void {
    this.#bytes.append(part)
    const properties = this.#carrier.of(part)
    if (properties !== null) this.#properties.set(this.#bytes.length, properties)
  }

  /** Between two turns of the event loop these are complete packets, since mqtt-packet writes each in one go. */
  drain(each: (frame: Buffer, properties: Buffer | null) => void): void {
    let end = 0
    try {
      for (const frame of new PacketFrames().add(this.#bytes.peek())) {
        end += frame.length
        each(frame, this.#properties.get(end) ?? null)
      }
    } finally {
      this.#bytes.clear()
      this.#properties.clear()
    }
  }
}
