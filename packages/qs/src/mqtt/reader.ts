import { isUtf8 } from 'node:buffer'
import { ProtocolFault, REASON } from './reasons.ts'

/** Reads the fields of one packet [MQTT 5, 1.5]. @throws ProtocolFault for a field that exceeds the packet */
export class Reader {
  readonly bytes: Buffer
  readonly end: number
  at: number

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  uint8(): number {
    return this.bytes[this.#take(1)] as number
  }

  uint16(): number {
    return this.bytes.readUInt16BE(this.#take(2))
  }

  uint32(): number {
    return this.bytes.readUInt32BE(this.#take(4))
  }

  /** A Variable Byte Integer [MQTT-1.5.5-1]. */
  integer(): number {
    let value = 0
    for (let digit = 0; digit < 4; digit++) {
      const byte = this.uint8()
      value |= (byte & 0x7f) << (7 * digit)
      if (byte < 0x80) return value
    }
    throw new ProtocolFault(REASON.malformedPacket, 'a length of more than four bytes')
  }

  /** Binary data, as a view. */
  binary(): Buffer {
    const length = this.uint16()
    const start = this.#take(length)
    return this.bytes.subarray(start, start + length)
  }

  string(): string {
    return this.text().toString()
  }

  /** The bytes of a string, as a view [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
  text(): Buffer {
    const bytes = this.binary()
    if (!isUtf8(bytes) || bytes.includes(0))
      throw new ProtocolFault(REASON.malformedPacket, 'a text that is not UTF-8')
    return bytes
  }

  /** The same without a view, for text that is only forwarded. */
  skipText(): void {
    const isEmpty = this.bytes[this.at] === 0 && this.bytes[this.at + 1] === 0
    if (isEmpty && this.at + 2 <= this.end) this.at += 2
    else this.text()
  }

  rest(): Buffer {
    return this.bytes.subarray(this.at, this.end)
  }

  #take(bytes: number): number {
    const start = this.at
    this.at += bytes
    if (this.at > this.end) throw new ProtocolFault(REASON.malformedPacket, 'a field exceeds its packet')
    return start
  }
}
