import { PINGREQ } from './packet-types.ts'

const MAX_DIGITS = 4

/** Counts PINGREQs in a stream of packets by their fixed headers, without reading the packets. */
export class PingCount {
  /** Bytes of the current packet that are still to come. */
  #rest = 0
  #first: number | null = null
  #length = 0
  #digits = 0

  /** @returns how many end in this chunk */
  add(chunk: Buffer): number {
    let pings = 0
    for (let at = 0; at < chunk.length; ) {
      if (this.#rest > 0) {
        const skipped = Math.min(this.#rest, chunk.length - at)
        this.#rest -= skipped
        at += skipped
        continue
      }
      const byte = chunk[at++] as number
      if (this.#first === null) this.#first = byte
      else if (this.#isLengthComplete(byte)) {
        if (this.#first === PINGREQ << 4 && this.#length === 0) pings++
        this.#rest = this.#length
        this.#first = null
        this.#length = 0
        this.#digits = 0
      }
    }
    return pings
  }

  /** A length of five bytes is refused when its turn comes; nothing is counted after it. */
  #isLengthComplete(byte: number): boolean {
    if (this.#digits === MAX_DIGITS) {
      this.#rest = Number.POSITIVE_INFINITY
      return false
    }
    this.#length |= (byte & 0x7f) << (7 * this.#digits++)
    return byte < 0x80
  }
}
