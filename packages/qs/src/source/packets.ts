/** A PUBLISH as the broker sends it to us [MQTT 5, 3.3]; its properties are not read, since the contract has none. */
export interface Publish {
  readonly topic: string
  /** A view of the bytes that were read. */
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  readonly dup: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
}

/** A PUBLISH that breaks the standard: QoS 3, or a field that reaches beyond its end [MQTT-3.3.1-4]. */
export interface MalformedPublish {
  readonly problem: string
  /** The whole packet, fixed header included. */
  readonly packet: Buffer
  /** As far as it can be read. */
  readonly topic: string
  /** 0 where there is none. */
  readonly packetId: number
}

/** Packet types with which one side answers the other about a PUBLISH [MQTT 5, 2.1.2]. */
export const PUBACK = 4
export const PUBREC = 5
export const PUBREL = 6
export const PUBCOMP = 7
export type AnswerType = typeof PUBACK | typeof PUBREC | typeof PUBREL | typeof PUBCOMP

export interface PacketEvents {
  onPublish(publish: Publish): void
  onMalformed(publish: MalformedPublish): void
  /** Its reason code and properties are not read: a refused message is refused the next time too. */
  onAnswer(type: AnswerType, packetId: number): void
  /** Any other packet, whole, fixed header included. It is valid during the call. */
  onOther(packet: Buffer): void
}

const PUBLISH = 3
const MAX_DIGITS = 4

/**
 * Cuts what is read from the socket into packets and decodes the two kinds that come with every message: PUBLISH, for
 * which mqtt-packet needs three times as long, and the answers to our own, which it refuses where it does not know the
 * reason code. All other packets are rare and left to mqtt-packet.
 */
export class Packets {
  readonly #events: PacketEvents
  readonly #hasProperties: boolean
  /** The beginning of a packet whose end has not come yet. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** The size of the waiting packet; 0 while its length has not come. */
  #neededBytes = 0

  /** @param hasProperties MQTT 5 has them; 3.1.1 has not */
  constructor(events: PacketEvents, hasProperties: boolean) {
    this.#events = events
    this.#hasProperties = hasProperties
  }

  /** @throws Error where no packet can be cut from the bytes; nothing can be read after it */
  feed(chunk: Buffer): void {
    const bytes = this.#join(chunk)
    if (bytes === null) return
    for (let start = 0; start < bytes.length; ) {
      const length = readInteger(bytes, start + 1)
      if (length?.value === MALFORMED) throw new Error('it sent a length of more than four bytes')
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

  /** What waits and what came, once there is enough of it to go on. */
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
      const fault = qos === 3 ? 'of QoS 3' : 'that is longer than it says'
      const packet = bytes.subarray(start, end)
      this.#events.onMalformed({ problem: `it sent a PUBLISH ${fault}`, packet, topic, packetId })
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

/** Where a packet lies: its fixed header, what follows that, and the end. */
interface Place {
  readonly start: number
  readonly bodyStart: number
  readonly end: number
}

const MALFORMED = -1

function isAnswer(type: number): type is AnswerType {
  return type >= PUBACK && type <= PUBCOMP
}

/** A Variable Byte Integer [MQTT 5, 1.5.5], `MALFORMED` where it has more than four bytes; null where its end has not come. */
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

/** Beyond the end there is 0. */
function readUint16(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
