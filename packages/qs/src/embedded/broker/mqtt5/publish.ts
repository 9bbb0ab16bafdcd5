import { isUtf8 } from 'node:buffer'
import type { GatheredBytes } from './gathered-bytes.ts'
import { type MessageProperties, propertiesRange, publishProperties } from './publish-properties.ts'
import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { isTopicName } from './topics.ts'
import { readVariableByteInteger, variableByteIntegerBytes } from './variable-byte-integer.ts'

/**
 * PUBLISH, translated byte by byte: it is the most frequent packet, and the versions differ only in the properties,
 * which follow topic and packet identifier. mqtt-packet both ways would cost more than routing in aedes.
 */
interface Layout {
  readonly qos: number
  readonly topicStart: number
  /** End of topic and packet identifier. */
  readonly headEnd: number
  readonly packetId: number
}

function layout(frame: Buffer): Layout {
  const length = readVariableByteInteger(frame, 1)
  const topicStart = (length?.end ?? frame.length) + 2
  const qos = ((frame[0] as number) >> 1) & 3
  const topicEnd = topicStart <= frame.length ? topicStart + frame.readUInt16BE(topicStart - 2) : topicStart
  const headEnd = topicEnd + (qos > 0 ? 2 : 0)
  if (headEnd > frame.length) throw new Mqtt5Fault(REASON.malformedPacket, 'a PUBLISH without its topic')
  return { qos, topicStart, headEnd, packetId: qos > 0 ? frame.readUInt16BE(topicEnd) : 0 }
}

/** @returns the properties for its subscribers, which 3.1.1 cannot encode @throws Mqtt5Fault */
export function publish5To4(frame: Buffer, out: GatheredBytes): MessageProperties | null {
  const { qos, topicStart, headEnd, packetId } = layout(frame)
  const first = frame[0] as number
  // [MQTT-3.3.1-4], [MQTT-3.3.1-2], [MQTT-2.2.1-3]
  if (qos > 2 || (qos === 0 && first & 8) || (qos > 0 && packetId === 0)) {
    throw new Mqtt5Fault(REASON.malformedPacket, 'a PUBLISH with invalid flags or packet identifier')
  }
  const properties = propertiesRange(frame, headEnd)
  const forwarded =
    properties.start === properties.end
      ? null
      : publishProperties(frame.subarray(properties.start, properties.end))
  const topic = frame.subarray(topicStart, topicStart + frame.readUInt16BE(topicStart - 2))
  // [MQTT-1.5.4-1]
  if (!isUtf8(topic)) throw new Mqtt5Fault(REASON.malformedPacket, 'a topic that is not UTF-8')
  if (!isTopicName(topic.toString())) throw new Mqtt5Fault(REASON.topicNameInvalid, 'an invalid topic')
  out.byte(first)
  out.variableByteInteger(headEnd - topicStart + 2 + frame.length - properties.end)
  out.appendPart(frame, topicStart - 2, headEnd)
  out.appendPart(frame, properties.end, frame.length)
  return forwarded
}

/** A PUBLISH from aedes, translated for an MQTT 5 client. */
export interface Outgoing {
  readonly qos: number
  /** 0 with QoS 0. */
  readonly packetId: number
  /** Size of the whole packet. */
  readonly bytes: number
  write(out: GatheredBytes): void
}

export function publish4To5(frame: Buffer, properties: Buffer | null): Outgoing {
  const { qos, packetId, topicStart, headEnd } = layout(frame)
  const propertyBytes = properties?.length ?? 0
  const remaining = frame.length - topicStart + 2 + variableByteIntegerBytes(propertyBytes) + propertyBytes
  const bytes = 1 + variableByteIntegerBytes(remaining) + remaining
  const write = (out: GatheredBytes) => {
    out.reserve(bytes)
    out.byte(frame[0] as number)
    out.variableByteInteger(remaining)
    out.appendPart(frame, topicStart - 2, headEnd)
    out.variableByteInteger(propertyBytes)
    if (properties !== null) out.append(properties)
    out.appendPart(frame, headEnd, frame.length)
  }
  return { qos, packetId, bytes, write }
}
