/** A PUBLISH as the broker sends it to us [MQTT 5, 3.3]; its properties are not read, since the contract has none. */
export interface Publish {
  readonly topic: string
  /** A view of the bytes that were read. */
  readonly payload: Buffer
  readonly qos: 0 | 1
  readonly dup: boolean
  /** 0 with QoS 0. */
  readonly packetId: number
}

export interface PacketEvents {
  onPublish(publish: Publish): void
  /** Any other packet, whole, fixed header included. It is valid during the call. */
  onOther(packet: Buffer): void
}

const PUBLISH = 3
const MAX_DIGITS = 4

/**
 * Cuts what is read from the socket into packets, and decodes PUBLISH, of which there is one for each message. All
 * others are rare and go to mqtt-packet, which would take for a PUBLISH three times as long.
 */
export class Packets {
  readonly #events: PacketEvents
  readonly #hasProperties: boolean
  /** The beginning of a packet whose end has not come yet. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** So many bytes the packet has that waits, as far as that is known. */
  #neededBytes = 0

  /** @param hasProperties MQTT 5 has them; 3.1.1 has not */
  constructor(events: PacketEvents, hasProperties: boolean) {
    this.#events = events
    this.#hasProperties = hasProperties
  }

  /** @throws Error where the bytes are no MQTT; nothing can be read after it */
  feed(chunk: Buffer): void {
    const bytes = this.#join(chunk)
    if (bytes === null) return
    for (let start = 0; start < bytes.length; ) {
      const length = readInteger(bytes, start + 1)
      const end = length === null ? null : length.end + length.value
      if (length === null || end === null || end > bytes.length) {
        this.#keep(bytes.subarray(start), end === null ? 0 : end - start)
        return
      }
      if ((bytes[start] as number) >> 4 === PUBLISH)
        this.#publish(bytes, { start, bodyStart: length.end, end })
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
    if (qos > 1) throw new Error(`it sent a PUBLISH of QoS ${qos} to a subscription of QoS 1`)
    const topicStart = bodyStart + 2
    const topicEnd = topicStart + readUint16(bytes, bodyStart)
    const idEnd = qos === 0 ? topicEnd : topicEnd + 2
    const payloadStart = this.#hasProperties ? endOfProperties(bytes, idEnd) : idEnd
    // What was read beyond the end belongs to the next packet, or is nothing: then this one is refused.
    if (payloadStart > end) throw new Error('it sent a PUBLISH that is longer than it says')
    this.#events.onPublish({
      topic: bytes.toString('utf8', topicStart, topicEnd),
      payload: bytes.subarray(payloadStart, end),
      qos: qos as 0 | 1,
      dup: (flags & 8) !== 0,
      packetId: qos === 0 ? 0 : readUint16(bytes, topicEnd),
    })
  }
}

/** Where a packet lies: its fixed header, what follows that, and the end. */
interface Place {
  readonly start: number
  readonly bodyStart: number
  readonly end: number
}

/** A Variable Byte Integer [MQTT 5, 1.5.5]; null where its end has not come. */
function readInteger(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0
  for (let digit = 0; digit < MAX_DIGITS; digit++) {
    const byte = bytes[start + digit]
    if (byte === undefined) return null
    value |= (byte & 0x7f) << (7 * digit)
    if (byte < 0x80) return { value, end: start + digit + 1 }
  }
  throw new Error('it sent a length of more than four bytes')
}

function endOfProperties(bytes: Buffer, start: number): number {
  const length = readInteger(bytes, start)
  return length === null ? Number.POSITIVE_INFINITY : length.end + length.value
}

/** Beyond the end there is 0. */
function readUint16(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
