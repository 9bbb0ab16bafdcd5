import { Reader } from './reader.ts'
import { ProtocolFault, REASON } from './reasons.ts'
import { isTopicName } from './topics.ts'

/** Identifiers of the properties [MQTT 5, table 2-4] that this broker reads or writes. */
export const PROPERTY = {
  payloadFormat: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  sessionExpiry: 0x11,
  assignedClientId: 0x12,
  serverKeepAlive: 0x13,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelay: 0x18,
  requestResponseInformation: 0x19,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
} as const

/**
 * A user property of CONNACK: to this client, a PUBACK (QoS 2: PUBREC) of an event means that it is committed. A broker
 * that hands events on later must not say so.
 */
export const PUBACK_IS_COMMIT = { name: 'puback', value: 'committed' } as const

type Kind = 'flag' | 'uint16' | 'uint32' | 'integer' | 'string' | 'topic' | 'binary' | 'pair'
type Table = ReadonlyMap<number, Kind>

const { payloadFormat, messageExpiry, topicAlias, willDelay, sessionExpiry, reasonString } = PROPERTY
const USER: readonly [number, Kind] = [PROPERTY.userProperty, 'pair']

const OF_A_MESSAGE: readonly (readonly [number, Kind])[] = [
  [payloadFormat, 'flag'],
  [messageExpiry, 'uint32'],
  [PROPERTY.contentType, 'string'],
  [PROPERTY.responseTopic, 'topic'],
  [PROPERTY.correlationData, 'binary'],
  USER,
]

/** Each of them is read, which costs more than a payload of the same size. */
const MAX_PROPERTIES_BYTES = 64 * 1024

/** The properties that a packet from a client may have. */
export const ALLOWED = {
  connect: new Map([
    [sessionExpiry, 'uint32'],
    [PROPERTY.authenticationMethod, 'string'],
    [PROPERTY.authenticationData, 'binary'],
    [PROPERTY.requestProblemInformation, 'flag'],
    [PROPERTY.requestResponseInformation, 'flag'],
    [PROPERTY.receiveMaximum, 'uint16'],
    [PROPERTY.topicAliasMaximum, 'uint16'],
    [PROPERTY.maximumPacketSize, 'uint32'],
    USER,
  ]),
  will: new Map([...OF_A_MESSAGE, [willDelay, 'uint32']]),
  publish: new Map([...OF_A_MESSAGE, [topicAlias, 'uint16']]),
  answer: new Map([[reasonString, 'string'], USER]),
  subscribe: new Map([[PROPERTY.subscriptionIdentifier, 'integer'], USER]),
  unsubscribe: new Map([USER]),
  disconnect: new Map([[sessionExpiry, 'uint32'], [reasonString, 'string'], USER]),
} as const satisfies Readonly<Record<string, Table>>

/** What subscribers get unchanged and in order [MQTT-3.3.2-17], [MQTT-3.3.2-18]. */
const NOT_FORWARDED: ReadonlySet<number> = new Set([messageExpiry, topicAlias, willDelay])

export interface Properties {
  /** The numbers among them, by identifier. */
  readonly numbers: ReadonlyMap<number, number>
  /** Identifiers of all of them. */
  readonly present: ReadonlySet<number>
  /** Their bytes, except the expiry, topic alias and delay; a copy. */
  readonly forwarded: Buffer
}

export const NO_PROPERTIES: Properties = {
  numbers: new Map(),
  present: new Set(),
  forwarded: Buffer.alloc(0),
}

/**
 * Reads the properties at the position of the reader, their length included.
 *
 * @throws ProtocolFault for one that the packet may not have or that is repeated, and for more than 64 KiB
 */
export function readProperties(reader: Reader, allowed: Table): Properties {
  const length = reader.integer()
  if (length === 0) return NO_PROPERTIES
  if (length > MAX_PROPERTIES_BYTES)
    throw new ProtocolFault(
      REASON.packetTooLarge,
      `properties of ${length} bytes, above the limit of ${MAX_PROPERTIES_BYTES}`,
    )
  const end = reader.at + length
  if (end > reader.end) throw new ProtocolFault(REASON.malformedPacket, 'properties exceed their packet')
  const inner = new Reader(reader.bytes, reader.at, end)
  const numbers = new Map<number, number>()
  const present = new Set<number>()
  const forwarded: Buffer[] = []
  /** Where those begin that are forwarded and not yet in it. */
  let from = reader.at
  while (!inner.isAtEnd) {
    const start = inner.at
    const identifier = inner.uint8()
    const kind = allowed.get(identifier)
    if (kind === undefined) throw unexpected(identifier)
    if (present.has(identifier) && kind !== 'pair')
      throw new ProtocolFault(REASON.protocolError, 'a repeated property')
    present.add(identifier)
    const number = readValue(inner, kind)
    if (number !== null) numbers.set(identifier, number)
    if (!NOT_FORWARDED.has(identifier)) continue
    forwarded.push(reader.bytes.subarray(from, start))
    from = inner.at
  }
  forwarded.push(reader.bytes.subarray(from, end))
  reader.at = end
  return { numbers, present, forwarded: Buffer.concat(forwarded) }
}

function unexpected(identifier: number): ProtocolFault {
  // A client must not send it [MQTT-3.3.4-6].
  return identifier === PROPERTY.subscriptionIdentifier
    ? new ProtocolFault(REASON.protocolError, 'a subscription identifier in PUBLISH')
    : new ProtocolFault(REASON.malformedPacket, `a property 0x${identifier.toString(16)} that is not allowed`)
}

function readValue(reader: Reader, kind: Kind): number | null {
  switch (kind) {
    case 'flag': {
      const value = reader.uint8()
      if (value > 1) throw new ProtocolFault(REASON.protocolError, 'a flag that is neither 0 nor 1')
      return value
    }
    case 'uint16':
      return reader.uint16()
    case 'uint32':
      return reader.uint32()
    case 'integer':
      return reader.integer()
    case 'binary':
      reader.binary()
      return null
    case 'pair':
      reader.skipText()
      reader.skipText()
      return null
    case 'string':
      reader.skipText()
      return null
    case 'topic':
      // [MQTT-3.3.2-14]
      if (!isTopicName(reader.string()))
        throw new ProtocolFault(REASON.protocolError, 'an invalid response topic')
      return null
  }
}
