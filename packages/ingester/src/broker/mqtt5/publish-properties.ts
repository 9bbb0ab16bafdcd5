import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { readVariableByteInteger } from './variable-byte-integer.ts'

const MESSAGE_EXPIRY = 0x02
const SUBSCRIPTION_IDENTIFIER = 0x0b
const TOPIC_ALIAS = 0x23
const USER_PROPERTY = 0x26

/** The properties of PUBLISH [MQTT 5, 3.3.2.3] by their identifier: how many bytes, or how to find out. */
const SIZES: ReadonlyMap<number, number | 'string' | 'pair'> = new Map<number, number | 'string' | 'pair'>([
  [0x01, 1],
  [MESSAGE_EXPIRY, 4],
  [0x03, 'string'],
  [0x08, 'string'],
  [0x09, 'string'],
  [TOPIC_ALIAS, 2],
  [USER_PROPERTY, 'pair'],
])

/**
 * The properties of a PUBLISH that its subscribers get, unchanged and in their order [MQTT-3.3.2-18]: payload
 * format, content type, response topic, correlation data, user properties. Message expiry is left out: this
 * broker does not observe it, and would have to count it down [MQTT-3.3.2-6].
 *
 * @param bytes without their length; null: there are none
 * @throws Mqtt5Fault
 */
export function forwardedProperties(bytes: Buffer): Buffer | null {
  const kept: Buffer[] = []
  const seen = new Set<number>()
  for (let at = 0; at < bytes.length; ) {
    const identifier = bytes[at] as number
    const end = endOf(bytes, at)
    if (end > bytes.length) throw new Mqtt5Fault(REASON.malformedPacket, 'properties beyond their length')
    if (identifier !== USER_PROPERTY && seen.has(identifier)) {
      throw new Mqtt5Fault(REASON.protocolError, 'a property twice')
    }
    seen.add(identifier)
    if (identifier !== MESSAGE_EXPIRY) kept.push(bytes.subarray(at, end))
    at = end
  }
  return kept.length === 0 ? null : Buffer.concat(kept)
}

function endOf(bytes: Buffer, at: number): number {
  const identifier = bytes[at] as number
  const size = SIZES.get(identifier)
  // CONNACK said that there are none: [MQTT-3.3.2-8], [MQTT-3.3.4-6].
  if (identifier === TOPIC_ALIAS) throw new Mqtt5Fault(REASON.topicAliasInvalid, 'a topic alias')
  if (identifier === SUBSCRIPTION_IDENTIFIER) {
    throw new Mqtt5Fault(REASON.protocolError, 'a subscription identifier in PUBLISH')
  }
  if (size === undefined) throw new Mqtt5Fault(REASON.malformedPacket, 'an unknown property in PUBLISH')
  if (typeof size === 'number') return at + 1 + size
  const first = endOfString(bytes, at + 1)
  return size === 'pair' ? endOfString(bytes, first) : first
}

function endOfString(bytes: Buffer, at: number): number {
  return at + 2 <= bytes.length ? at + 2 + bytes.readUInt16BE(at) : bytes.length + 1
}

/** @returns where the properties that begin at `from` start and end. @throws Mqtt5Fault */
export function propertiesRange(
  frame: Buffer,
  from: number,
): { readonly start: number; readonly end: number } {
  const length = readVariableByteInteger(frame, from)
  if (length === null || length.end + length.value > frame.length) {
    throw new Mqtt5Fault(REASON.malformedPacket, 'properties beyond the end of the packet')
  }
  return { start: length.end, end: length.end + length.value }
}
