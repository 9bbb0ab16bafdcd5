import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { readVariableByteInteger } from './variable-byte-integer.ts'

/** The properties of a message that its subscribers get. */
export interface MessageProperties {
  /** Payload format, content type, response topic, correlation data, user properties: unchanged, in order. */
  readonly forwarded: Buffer
  /** null: no expiry. */
  readonly expirySeconds: number | null
}

export const MESSAGE_EXPIRY = 0x02
const SUBSCRIPTION_IDENTIFIER = 0x0b
const WILL_DELAY = 0x18
const TOPIC_ALIAS = 0x23
const USER_PROPERTY = 0x26

/** Size of a property in bytes, or its variable-length type. */
type Size = number | 'string' | 'pair'
/** By the identifier of the property. */
type Sizes = ReadonlyMap<number, Size>

const OF_A_MESSAGE: readonly (readonly [number, Size])[] = [
  [0x01, 1],
  [MESSAGE_EXPIRY, 4],
  [0x03, 'string'],
  [0x08, 'string'],
  [0x09, 'string'],
  [USER_PROPERTY, 'pair'],
]
/** [MQTT 5, 3.3.2.3] */
const OF_PUBLISH: Sizes = new Map(OF_A_MESSAGE)
/** [MQTT 5, 3.1.3.2] */
const OF_WILL: Sizes = new Map([...OF_A_MESSAGE, [WILL_DELAY, 4]])

/**
 * The properties of a PUBLISH, which its subscribers get unchanged and in order [MQTT-3.3.2-17],
 * [MQTT-3.3.2-18], and its expiry, which counts down [MQTT-3.3.2-6].
 *
 * @param bytes without their length
 * @returns null if there are none
 * @throws Mqtt5Fault
 */
export function publishProperties(bytes: Buffer): MessageProperties | null {
  return messageProperties(bytes, OF_PUBLISH)
}

/**
 * The properties of a will for its publication [MQTT-3.1.3-10], without its delay.
 *
 * @param connect a complete CONNECT packet with a will
 * @throws Mqtt5Fault
 */
export function willProperties(connect: Buffer): MessageProperties | null {
  const headerAt = readVariableByteInteger(connect, 1)?.end ?? connect.length
  // Protocol name and level, flags and keep alive take ten bytes; properties and client id follow.
  const idAt = propertiesRange(connect, headerAt + 10).end
  const { start, end } = propertiesRange(connect, endOfString(connect, idAt))
  return messageProperties(connect.subarray(start, end), OF_WILL)
}

function messageProperties(bytes: Buffer, sizes: Sizes): MessageProperties | null {
  const forwarded: Buffer[] = []
  const seen = new Set<number>()
  let expirySeconds: number | null = null
  for (let at = 0; at < bytes.length; ) {
    const identifier = bytes[at] as number
    const end = endOf(bytes, { at, sizes })
    if (end > bytes.length) throw new Mqtt5Fault(REASON.malformedPacket, 'properties exceed their length')
    if (identifier !== USER_PROPERTY && seen.has(identifier)) {
      throw new Mqtt5Fault(REASON.protocolError, 'a repeated property')
    }
    seen.add(identifier)
    if (identifier === MESSAGE_EXPIRY) expirySeconds = bytes.readUInt32BE(at + 1)
    else if (identifier !== WILL_DELAY) forwarded.push(bytes.subarray(at, end))
    at = end
  }
  if (forwarded.length === 0 && expirySeconds === null) return null
  return { forwarded: Buffer.concat(forwarded), expirySeconds }
}

function endOf(bytes: Buffer, { at, sizes }: { readonly at: number; readonly sizes: Sizes }): number {
  const identifier = bytes[at] as number
  // CONNACK announced no support: [MQTT-3.3.2-8], [MQTT-3.3.4-6].
  if (identifier === TOPIC_ALIAS) throw new Mqtt5Fault(REASON.topicAliasInvalid, 'a topic alias')
  if (identifier === SUBSCRIPTION_IDENTIFIER) {
    throw new Mqtt5Fault(REASON.protocolError, 'a subscription identifier in PUBLISH')
  }
  const size = sizes.get(identifier)
  if (size === undefined) throw new Mqtt5Fault(REASON.malformedPacket, 'an unknown message property')
  if (typeof size === 'number') return at + 1 + size
  const first = endOfString(bytes, at + 1)
  return size === 'pair' ? endOfString(bytes, first) : first
}

function endOfString(bytes: Buffer, at: number): number {
  return at + 2 <= bytes.length ? at + 2 + bytes.readUInt16BE(at) : bytes.length + 1
}

/** @returns start and end of the properties whose length is at `from` @throws Mqtt5Fault */
export function propertiesRange(
  frame: Buffer,
  from: number,
): { readonly start: number; readonly end: number } {
  const length = readVariableByteInteger(frame, from)
  if (length === null || length.end + length.value > frame.length) {
    throw new Mqtt5Fault(REASON.malformedPacket, 'properties exceed the packet')
  }
  return { start: length.end, end: length.end + length.value }
}
