import { readVariableByteInteger } from './variable-byte-integer.ts'

/**
 * Cuts a stream into complete packets, including the fixed header. Pieces of an incomplete packet are kept and joined
 * once the last byte has arrived. The packet size guard in front limits their size.
 */
export class PacketFrames {
  #pieces: Buffer[] = []
  #bytes = 0
  /** Bytes needed before the next packet can be complete. */
  #needed = 0;

  /** @throws Mqtt5Fault on an invalid header */
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
