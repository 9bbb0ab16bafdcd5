const MIN_BYTES = 1024

/** Output of a translation, gathered into one buffer: one write instead of one per packet. */
export class GatheredBytes {
  #buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(chunk: Uint8Array | string): void {
    if (typeof chunk === 'string') {
      this.reserve(chunk.length * 3)
      this.#length += this.#buffer.write(chunk, this.#length)
    } else {
      this.reserve(chunk.length)
      this.#buffer.set(chunk, this.#length)
      this.#length += chunk.length
    }
  }

  appendPart(source: Buffer, from: number, to: number): void {
    this.reserve(to - from)
    this.#length += source.copy(this.#buffer, this.#length, from, to)
  }

  byte(value: number): void {
    this.reserve(1)
    this.#buffer[this.#length++] = value
  }

  /** [MQTT 5, 1.5.5] */
  variableByteInteger(value: number): void {
    let rest = value
    do {
      const digit = rest & 0x7f
      rest >>= 7
      this.byte(rest > 0 ? digit | 0x80 : digit)
    } while (rest > 0)
  }

  /** Reserves room for more bytes, which avoids repeated copies while the buffer grows. */
  reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(MIN_BYTES, this.#length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  /** The gathered bytes, valid until the next change. */
  peek(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  /** The gathered bytes, for the caller to keep. */
  take(): Buffer {
    const bytes = this.peek()
    this.#buffer = Buffer.alloc(0)
    this.#length = 0
    return bytes
  }
}
