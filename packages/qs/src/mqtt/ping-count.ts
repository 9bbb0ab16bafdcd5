import { FixedHeader } from './fixed-header.ts'
import { PINGREQ } from './packet-types.ts'

/** Counts PINGREQs in a stream of packets by their fixed headers, without reading the packets. */
export class PingCount {
  readonly #header = new FixedHeader()
  /** Bytes of the current packet that are still to come. */
  #rest = 0
  /** A fixed header of which the end is still to come. */
  #begun: Buffer | null = null

  /** @returns how many end in this chunk */
  add(chunk: Buffer): number {
    const bytes = this.#begun === null ? chunk : Buffer.concat([this.#begun, chunk])
    this.#begun = null
    let pings = 0
    let at = this.#rest
    while (at < bytes.length) {
      const state = this.#header.read(bytes, at)
      // It is refused when its turn comes.
      if (state === 'malformed') at = Number.POSITIVE_INFINITY
      else if (state === 'incomplete') {
        this.#begun = bytes.subarray(at)
        at = bytes.length
      } else {
        const { bodyStart, length } = this.#header
        if (bytes[at] === PINGREQ << 4 && length === 0) pings++
        at = bodyStart + length
      }
    }
    this.#rest = at - bytes.length
    return pings
  }
}
