import {
  type AnswerType,
  CONNACK,
  DISCONNECT,
  type Level,
  PINGRESP,
  PUBLISH,
  PUBREL,
  type Qos,
  SUBACK,
  UNSUBACK,
} from './packet-types.ts'
import { PROPERTY, PUBACK_IS_COMMIT } from './properties.ts'
import { REASON, type Reason, returnCodeOf } from './reasons.ts'

/** A PUBLISH to be written. */
export interface OutgoingPublish {
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: Qos
  readonly dup: boolean
  readonly retain: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
  /** Forwarded properties, already encoded. */
  readonly forwarded: Buffer
  /** Remaining expiry; null: none. */
  readonly expirySeconds: number | null
  readonly subscriptionIds: readonly number[]
}

/** The capabilities in CONNACK [MQTT 5, 3.2.2.3]. */
export interface Capabilities {
  readonly receiveMaximum: number
  readonly maxPacketBytes: number
  readonly topicAliasMaximum: number
  /** null: the client chose its id. */
  readonly assignedClientId: string | null
  /** null: the client's own keep-alive holds. */
  readonly serverKeepAliveSeconds: number | null
  /** Whether the PUBACK of an event leaves after its COMMIT. */
  readonly isPubackCommit: boolean
}

const MIN_BYTES = 256
const MAX_KEPT_BYTES = 256 * 1024
const PROMISE_BYTES = 1 + 2 + PUBACK_IS_COMMIT.name.length + 2 + PUBACK_IS_COMMIT.value.length

/**
 * Outgoing packets of one connection, gathered into one write for each turn of the event loop. After a commit,
 * thousands of PUBACKs and device acks are due at once, and a write for each would cost more than the rest of the
 * pipeline. An idle connection holds no buffer.
 */
export class Output {
  readonly #level: Level
  readonly #write: (bytes: Buffer) => void
  readonly #flush: () => void
  #buffer: Buffer | null = null
  #length = 0
  /** The next buffer is as large as the last one had to be. */
  #nextBytes = MIN_BYTES
  /** The maximum packet size of the client. What is larger is not written [MQTT-3.1.2-24]. */
  maxBytes = Number.POSITIVE_INFINITY

  constructor(level: Level, write: (bytes: Buffer) => void) {
    this.#level = level
    this.#write = write
    this.#flush = () => this.flush()
  }

  /** Bytes gathered and not yet written. */
  get length(): number {
    return this.#length
  }

  /** @returns false if it is larger than the client accepts */
  connack(reason: Reason, sessionPresent: boolean, capabilities: Capabilities | null): boolean {
    if (this.#level < 5) {
      this.#header(CONNACK << 4, 2)
      // [MQTT-3.2.2-4] of 3.1.1; 3.1 has no flag.
      this.#byte(this.#level === 4 && sessionPresent ? 1 : 0)
      this.#byte(returnCodeOf(reason))
      return true
    }
    const id = capabilities?.assignedClientId ?? null
    const keepAlive = capabilities?.serverKeepAliveSeconds ?? null
    const idBytes = id === null ? 0 : 3 + Buffer.byteLength(id)
    const plainBytes = capabilities === null ? 0 : 3 + 5 + 3 + idBytes + (keepAlive === null ? 0 : 3)
    // Without room for it, CONNACK leaves without the user property [MQTT-3.2.2-20].
    const isPromised =
      capabilities?.isPubackCommit === true && plainBytes + PROMISE_BYTES + 5 <= this.maxBytes
    const bytes = plainBytes + (isPromised ? PROMISE_BYTES : 0)
    if (!this.#header(CONNACK << 4, 3 + bytes)) return false
    this.#byte(sessionPresent ? 1 : 0)
    this.#byte(reason)
    this.#byte(bytes)
    if (capabilities === null) return true
    this.#byte(PROPERTY.receiveMaximum)
    this.#uint16(capabilities.receiveMaximum)
    this.#byte(PROPERTY.maximumPacketSize)
    this.#uint32(capabilities.maxPacketBytes)
    this.#byte(PROPERTY.topicAliasMaximum)
    this.#uint16(capabilities.topicAliasMaximum)
    if (id !== null) {
      this.#byte(PROPERTY.assignedClientId)
      this.#string(id, Buffer.byteLength(id))
    }
    if (keepAlive !== null) {
      this.#byte(PROPERTY.serverKeepAlive)
      this.#uint16(keepAlive)
    }
    if (isPromised) {
      this.#byte(PROPERTY.userProperty)
      for (const text of [PUBACK_IS_COMMIT.name, PUBACK_IS_COMMIT.value]) this.#string(text, text.length)
    }
    return true
  }

  /** PUBACK to PUBCOMP. Success needs no reason code [MQTT 5, 3.4.2.1]; 3.1.1 has none. */
  answer(
    type: AnswerType,
    packetId: number,
    reason: Reason = REASON.success,
    text: string | null = null,
  ): void {
    const flags = type === PUBREL ? 2 : 0
    if (this.#level < 5 || reason === REASON.success) {
      return this.#header((type << 4) | flags, 2) ? this.#uint16(packetId) : undefined
    }
    const textBytes = text === null ? 0 : Buffer.byteLength(text)
    const properties = text === null ? 0 : 3 + textBytes
    // Too long with the text, it leaves without it [MQTT-3.4.2-2], [MQTT-3.5.2-2].
    if (!this.#header((type << 4) | flags, 3 + (text === null ? 0 : 1 + properties)))
      return text === null ? undefined : this.answer(type, packetId, reason)
    this.#uint16(packetId)
    this.#byte(reason)
    if (text === null) return
    this.#byte(properties)
    this.#byte(PROPERTY.reasonString)
    this.#string(text, textBytes)
  }

  /** @returns false if it is larger than the client accepts */
  suback(packetId: number, codes: readonly number[]): boolean {
    return this.#codes(SUBACK, packetId, codes)
  }

  /** Without codes in 3.1.1. @returns false if it is larger than the client accepts */
  unsuback(packetId: number, codes: readonly number[]): boolean {
    return this.#codes(UNSUBACK, packetId, this.#level < 5 ? [] : codes)
  }

  pingresp(): void {
    this.#header(PINGRESP << 4, 0)
  }

  /** Only MQTT 5 has a DISCONNECT from the server. */
  disconnect(reason: Reason): void {
    if (this.#level < 5) return
    if (!this.#header(DISCONNECT << 4, 2)) return
    this.#byte(reason)
    this.#byte(0)
  }

  /** @returns whether it would be written */
  fits(packet: OutgoingPublish): boolean {
    return this.maxBytes === Number.POSITIVE_INFINITY || this.#isAccepted(this.#measure(packet).rest)
  }

  /** @returns false if it is larger than the client accepts, and was not written */
  publish(packet: OutgoingPublish): boolean {
    const { topic, payload, qos, packetId, forwarded, expirySeconds, subscriptionIds } = packet
    const { topicBytes, properties, rest } = this.#measure(packet)
    const flags = (packet.dup ? 8 : 0) | (qos << 1) | (packet.retain ? 1 : 0)
    if (!this.#header((PUBLISH << 4) | flags, rest)) return false
    this.#string(topic, topicBytes)
    if (qos > 0) this.#uint16(packetId)
    if (this.#level === 5) {
      this.#integer(properties)
      if (expirySeconds !== null) {
        this.#byte(PROPERTY.messageExpiry)
        this.#uint32(expirySeconds)
      }
      for (const id of subscriptionIds) {
        this.#byte(PROPERTY.subscriptionIdentifier)
        this.#integer(id)
      }
      this.#bytes(forwarded)
    }
    if (typeof payload === 'string') this.#text(payload)
    else this.#bytes(payload)
    return true
  }

  /** Writes what is gathered. The socket keeps the buffer until it is sent, so the next packet gets a new one. */
  flush(): void {
    if (this.#length === 0 || this.#buffer === null) return
    const bytes = this.#buffer.subarray(0, this.#length)
    this.#nextBytes = Math.max(MIN_BYTES, Math.min(this.#length, MAX_KEPT_BYTES))
    this.#buffer = null
    this.#length = 0
    this.#write(bytes)
  }

  #codes(type: number, packetId: number, codes: readonly number[]): boolean {
    if (!this.#header(type << 4, 2 + (this.#level === 5 ? 1 : 0) + codes.length)) return false
    this.#uint16(packetId)
    if (this.#level === 5) this.#byte(0)
    for (const code of codes) this.#byte(code)
    return true
  }

  #measure({ topic, payload, qos, forwarded, expirySeconds, subscriptionIds }: OutgoingPublish) {
    const topicBytes = Buffer.byteLength(topic)
    const payloadBytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    let properties = 0
    if (this.#level === 5) {
      properties = forwarded.length + (expirySeconds === null ? 0 : 5)
      for (const id of subscriptionIds) properties += 1 + integerBytes(id)
    }
    const lengthBytes = this.#level === 5 ? integerBytes(properties) : 0
    const rest = 2 + topicBytes + (qos > 0 ? 2 : 0) + lengthBytes + properties + payloadBytes
    return { topicBytes, properties, rest }
  }

  #isAccepted(rest: number): boolean {
    return rest + 1 + integerBytes(rest) <= this.maxBytes
  }

  /** Reserves the whole packet. @returns false if it is larger than the client accepts */
  #header(first: number, rest: number): boolean {
    if (!this.#isAccepted(rest)) return false
    const bytes = 5 + rest
    if (this.#buffer === null) {
      this.#buffer = Buffer.allocUnsafe(Math.max(this.#nextBytes, bytes))
      queueMicrotask(this.#flush)
    } else if (this.#length + bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    this.#byte(first)
    this.#integer(rest)
    return true
  }

  #byte(value: number): void {
    ;(this.#buffer as Buffer)[this.#length++] = value
  }

  #uint16(value: number): void {
    this.#byte(value >> 8)
    this.#byte(value & 0xff)
  }

  #uint32(value: number): void {
    this.#length = (this.#buffer as Buffer).writeUInt32BE(value, this.#length)
  }

  #string(value: string, bytes: number): void {
    this.#uint16(bytes)
    this.#text(value)
  }

  #text(value: string): void {
    this.#length += (this.#buffer as Buffer).write(value, this.#length)
  }

  #bytes(value: Buffer): void {
    this.#length += value.copy(this.#buffer as Buffer, this.#length)
  }

  /** [MQTT 5, 1.5.5] */
  #integer(value: number): void {
    let rest = value
    do {
      const digit = rest & 0x7f
      rest >>= 7
      this.#byte(rest > 0 ? digit | 0x80 : digit)
    } while (rest > 0)
  }
}

function integerBytes(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4
}
