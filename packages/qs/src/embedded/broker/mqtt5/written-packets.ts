import { GatheredBytes } from './gathered-bytes.ts'
import { PacketFrames } from './packet-frames.ts'
import type { PropertyCarrier } from './property-carrier.ts'

/** What aedes has written and is not translated yet: a part of a packet with each `append`. */
export class WrittenPackets {
  readonly #carrier: PropertyCarrier
  readonly #bytes = new GatheredBytes()
  /** Where a PUBLISH with properties ends. */
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

  /** Between two turns of the event loop these are whole packets: mqtt-packet writes one in one go. */
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
