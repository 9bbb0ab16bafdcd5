import type { AnswerType } from './packets.ts'

/** [MQTT-1.5.4] */
export const MAX_TOPIC_BYTES = 65_535
const MIN_BYTES = 1024
const MAX_KEPT_BYTES = 256 * 1024

/**
 * Outgoing packets, gathered into one write. After a commit, thousands of device acks and PUBACKs are due at once; a
 * write for each would cost more than the rest of the pipeline.
 *
 * PUBLISH and the answers to it are encoded by hand, since every message needs them; all other packets come from
 * mqtt-packet.
 */
export class Transmit {
  readonly #write: (bytes: Buffer) => void
  readonly #withProperties: boolean
  #buffer = Buffer.allocUnsafe(MIN_BYTES)
  #length = 0

  /** @param withProperties whether PUBLISH has a property length: true for MQTT 5, false for 3.1.1 */
  constructor(write: (bytes: Buffer) => void, withProperties: boolean) {
    this.#write = write
    this.#withProperties = withProperties
  }

  /** PUBACK, PUBREC or PUBCOMP, without the reason code, which may be omitted for success [MQTT 5, 3.4.2.1]. */
  answer(type: AnswerType, packetId: number): void {
    this.#reserve(4)
    this.#buffer[this.#length++] = type << 4
    this.#buffer[this.#length++] = 2
    this.#uint16(packetId)
  }

  /** PUBLISH, with QoS 1 if there is a packet identifier. */
  publish(topic: string, payload: string, packetId: number | null, isRedelivery = false): void {
    const topicBytes = Buffer.byteLength(topic)
    if (topicBytes > MAX_TOPIC_BYTES) throw new RangeError(`A topic of ${topicBytes} bytes`)
    const remaining =
      2 +
      topicBytes +
      (packetId === null ? 0 : 2) +
      (this.#withProperties ? 1 : 0) +
      Buffer.byteLength(payload)
    this.#reserve(5 + remaining)
    this.#buffer[this.#length++] = 0x30 | (packetId === null ? 0 : 2) | (isRedelivery ? 8 : 0)
    this.#variableByteInteger(remaining)
    this.#uint16(topicBytes)
    this.#length += this.#buffer.write(topic, this.#length)
    if (packetId !== null) this.#uint16(packetId)
    if (this.#withProperties) this.#buffer[this.#length++] = 0
    this.#length += this.#buffer.write(payload, this.#length)
  }

  packet(bytes: Buffer): void {
    this.#reserve(bytes.length)
    this.#length += bytes.copy(this.#buffer, this.#length)
  }

  /** Writes the gathered packets. The socket keeps the buffer until it is sent, so a new one is allocated. */
  flush(): void {
    if (this.#length === 0) return
    const bytes = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.allocUnsafe(Math.max(MIN_BYTES, Math.min(this.#length, MAX_KEPT_BYTES)))
    this.#length = 0
    this.#write(bytes)
  }

  #reserve(bytes: number): void {
    if (this.#length === 0) this.#schedule()
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  #schedule(): void {
    queueMicrotask(() => this.flush())
  }

  #uint16(value: number): void {
    this.#buffer[this.#length++] = value >> 8
    this.#buffer[this.#length++] = value & 0xff
  }

  /** [MQTT 5, 1.5.5] */
  #variableByteInteger(value: number): void {
    let rest = value
    do {
      const digit = rest & 0x7f
      rest >>= 7
      this.#buffer[this.#length++] = rest > 0 ? digit | 0x80 : digit
    } while (rest > 0)
  }
}
