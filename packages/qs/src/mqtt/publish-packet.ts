import { isUtf8 } from 'node:buffer'
import type { Frames } from './frames.ts'
import type { Qos } from './packet-types.ts'
import { ALLOWED, NO_PROPERTIES, type Properties, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { ProtocolFault, REASON } from './reasons.ts'

/**
 * The fields of the PUBLISH read last [MQTT 5, 3.3]. One object for each connection: at 60,000 messages a second an
 * object for each would be the largest share of the garbage.
 */
export class IncomingPublish {
  readonly #hasProperties: boolean
  qos: Qos = 0
  dup = false
  retain = false
  /** 0 with QoS 0. */
  packetId = 0
  topic = ''
  /** A view of the bytes read. */
  payload: Buffer = Buffer.alloc(0)
  properties: Properties = NO_PROPERTIES
  /** The bytes of `topic`: a device publishes to the same topic again and again. */
  #topicBytes = Buffer.alloc(0)

  constructor(hasProperties: boolean) {
    this.#hasProperties = hasProperties
  }

  /** @throws ProtocolFault */
  read({ bytes, start, bodyStart, end }: Frames): void {
    const flags = bytes[start] as number
    const qos = (flags >> 1) & 3
    // [MQTT-3.3.1-4]
    if (qos === 3) throw new ProtocolFault(REASON.malformedPacket, 'a PUBLISH with QoS 3')
    const topicEnd = bodyStart + 2 + (((bytes[bodyStart] ?? 0) << 8) | (bytes[bodyStart + 1] ?? 0))
    const idEnd = qos === 0 ? topicEnd : topicEnd + 2
    if (idEnd > end) throw new ProtocolFault(REASON.malformedPacket, 'a PUBLISH whose fields exceed it')
    this.#readTopic(bytes, bodyStart + 2, topicEnd)
    this.qos = qos as Qos
    this.dup = (flags & 8) !== 0
    this.retain = (flags & 1) !== 0
    this.packetId = qos === 0 ? 0 : bytes.readUInt16BE(topicEnd)
    // [MQTT-2.2.1-2]
    if (qos !== 0 && this.packetId === 0)
      throw new ProtocolFault(REASON.malformedPacket, 'a packet identifier of 0')
    this.properties = NO_PROPERTIES
    let payloadStart = idEnd
    if (this.#hasProperties) {
      if (bytes[idEnd] === 0 && idEnd < end) payloadStart = idEnd + 1
      else {
        const reader = new Reader(bytes, idEnd, end)
        this.properties = readProperties(reader, ALLOWED.publish)
        payloadStart = reader.at
      }
    }
    this.payload = bytes.subarray(payloadStart, end)
  }

  #readTopic(bytes: Buffer, start: number, end: number): void {
    const known = this.#topicBytes
    if (known.length === end - start && known.compare(bytes, start, end) === 0) return
    const topic = bytes.subarray(start, end)
    if (!isUtf8(topic)) throw new ProtocolFault(REASON.malformedPacket, 'a topic that is not UTF-8')
    this.#topicBytes = Buffer.from(topic)
    this.topic = topic.toString()
  }
}
