import { readVariableByteInteger } from './variable-byte-integer.ts'

/**
 * Cuts a stream into whole packets, fixed header included. What is incomplete is kept as it came and joined
 * once, when its last byte is there: how much that may be is for the packet size guard in front of it.
 */
export class PacketFrames {
  #pieces: Buffer[] = []
  #bytes = 0
  /** As long as there are fewer, there is no use in looking. */
  #needed = 0;

  /** @throws Mqtt5Fault on a header that is none */
  *add(chunk: Buffer): Generator<Buffer> {
    this.#pieces.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes < this.#needed) return
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces)
    let at = 0
    for (;;) {
      const length = readVariableByteInteger(bytes, at + 1)
      const end = length === null ? bytes.length + 1 : length.end + length.value
      if (end > bytes.length) {
        this.#keep(bytes.subarray(at), end - at)
        return
      }
      yield bytes.subarray(at, end)
      at = end
    }
  }

  #keep(rest: Buffer, needed: number): void {
    this.#pieces = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
    this.#needed = needed
  }
}
