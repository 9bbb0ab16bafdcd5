import { createHash } from 'node:crypto'
import { QsError } from '../errors/qs-error.ts'

/** A PUBLISH from the broker [MQTT 5, 3.3]; its properties are not read, since the contract has none. */
export interface Publish {
  readonly topic: string
  /** A view of the bytes read. */
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  readonly dup: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
}

/** Identifies the content of a PUBLISH; packet identifier and DUP flag are not content. */
export function digestOf({ topic, payload }: { readonly topic: string; readonly payload: Buffer }): string {
  return createHash('sha1').update(topic).update('\0').update(payload).digest('base64')
}

/** A PUBLISH that violates the standard: QoS 3, or a field that extends beyond its end [MQTT-3.3.1-4]. */
export interface MalformedPublish {
  readonly problem: string
  /** The whole packet, fixed header included. */
  readonly packet: Buffer
  /** As far as it is readable. */
  readonly topic: string
  /** 0 if there is none. */
  readonly packetId: number
}

/** Packet types of the exchange that follows a PUBLISH [MQTT 5, 2.1.2]. */
export const PUBACK = 4
export const PUBREC = 5
export const PUBREL = 6
export const PUBCOMP = 7
export type AnswerType = typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP

export interface PacketEvents {
  onPublish(publish: Publish): void
  onMalformed(publish: MalformedPublish): void
  /** The reason code and properties are not read: a refused message would be refused again. */
  onAnswer(type: AnswerType, packetId: number): void
  /** Any other packet, with its fixed header. The buffer is valid only during the call. */
  onOther(packet: Buffer): void
}

const PUBLISH = 3
const MAX_DIGITS = 4

/**
 * Splits the bytes from the socket into packets and decodes the two frequent kinds: PUBLISH, for which mqtt-packet
 * needs three times as long, and answers to published messages, which it refuses if it does not know the reason code.
 * All other packets are rare and left to mqtt-packet.
 */
export class Packets {
  readonly #events: PacketEvents
  readonly #hasProperties: boolean
  /** The beginning of an incomplete packet. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** The size of the incomplete packet; 0 while unknown. */
  #neededBytes = 0

  /** @param hasProperties true for MQTT 5, false for 3.1.1 */
  constructor(events: PacketEvents, hasProperties: boolean) {
    this.#events = events
    this.#hasProperties = hasProperties
  }

  /** @throws QsError if the bytes are not MQTT; nothing can be read after it */
  feed(chunk: Buffer): void {
    const bytes = this.#join(chunk)
    if (bytes === null) return
    for (let start = 0; start < bytes.length; ) {
      const length = readInteger(bytes, start + 1)
      if (length?.value === MALFORMED) {
        throw new QsError('BROKER_NO_ANSWER', 'the broker sent a length of more than four bytes')
      }
      const end = length === null ? null : length.end + length.value
      if (length === null || end === null || end > bytes.length) {
        this.#keep(bytes.subarray(start), end === null ? 0 : end - start)
        return
      }
      const type = (bytes[start] as number) >> 4
      if (type === PUBLISH) this.#publish(bytes, { start, bodyStart: length.end, end })
      else if (isAnswer(type) && length.value >= 2) this.#events.onAnswer(type, readUint16(bytes, length.end))
      else this.#events.onOther(bytes.subarray(start, end))
      start = end
    }
  }

  /** The waiting bytes and the new ones, once there are enough to continue. */
  #join(chunk: Buffer): Buffer | null {
    if (this.#waitingBytes === 0) return chunk
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes < this.#neededBytes) return null
    const bytes = Buffer.concat(this.#waiting, this.#waitingBytes)
    this.#waiting = []
    this.#waitingBytes = 0
    return bytes
  }

  #keep(rest: Buffer, neededBytes: number): void {
    this.#waiting = [rest]
    this.#waitingBytes = rest.length
    this.#neededBytes = neededBytes
  }

  #publish(bytes: Buffer, { start, bodyStart, end }: Place): void {
    const flags = bytes[start] as number
    const qos = (flags >> 1) & 3
    const topicStart = bodyStart + 2
    const topicEnd = topicStart + readUint16(bytes, bodyStart)
    const idEnd = qos === 0 ? topicEnd : topicEnd + 2
    const payloadStart = this.#hasProperties ? endOfProperties(bytes, idEnd) : idEnd
    const topic = bytes.toString('utf8', topicStart, Math.min(topicEnd, end))
    const packetId = qos === 0 || idEnd > end ? 0 : readUint16(bytes, topicEnd)
    // Bytes beyond the end belong to the next packet.
    if (qos === 3 || payloadStart > end) {
      const fault = qos === 3 ? 'of QoS 3' : 'whose fields exceed its length'
      const packet = bytes.subarray(start, end)
      this.#events.onMalformed({ problem: `the broker sent a PUBLISH ${fault}`, packet, topic, packetId })
      return
    }
    this.#events.onPublish({
      topic,
      payload: bytes.subarray(payloadStart, end),
      qos: qos as 0 | 1 | 2,
      dup: (flags & 8) !== 0,
      packetId,
    })
  }
}

/** The offsets of a packet: its fixed header, the rest, and the end. */
interface Place {
  readonly start: number
  readonly bodyStart: number
  readonly end: number
}

const MALFORMED = -1

function isAnswer(type: number): type is AnswerType {
  return type >= PUBACK && type <= PUBCOMP
}

/** A Variable Byte Integer [MQTT 5, 1.5.5]: `MALFORMED` if longer than four bytes, null if incomplete. */
function readInteger(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let digit = 0; digit < MAX_DIGITS; digit++) {
    const byte = bytes[start + digit]
    if (byte === undefined) return null
    value |= (byte & 0x7f) << (7 * digit)
    if (byte < 0x80) return { value, end: start + digit + 1 }
  }
  return { value: MALFORMED, end: start + MAX_DIGITS }
}

function endOfProperties(bytes: Buffer, start: number): number {
  const length = readInteger(bytes, start)
  return length === null || length.value === MALFORMED ? Number.POSITIVE_INFINITY : length.end + length.value
}

/** Bytes beyond the end count as 0. */
function readUint16(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
