import type { Frames } from './frames.ts'
import type { Level, Qos } from './packet-types.ts'
import { ALLOWED, NO_PROPERTIES, PROPERTY, type Properties, readProperties } from './properties.ts'
import { Reader } from './reader.ts'
import { ProtocolFault, REASON } from './reasons.ts'
import { isTopicName } from './topics.ts'

/** CONNECT [MQTT 5, 3.1]. What 3.1.1 does not have has its default. */
export interface Connect {
  readonly level: Level
  readonly clientId: string
  readonly cleanStart: boolean
  readonly keepAliveSeconds: number
  readonly username: string | undefined
  readonly password: Buffer | undefined
  readonly will: Will | null
  /** How long the session outlasts its connection; Infinity: it does not expire. */
  readonly expirySeconds: number
  /** Maximum QoS 1 and 2 messages in flight to the client. */
  readonly receiveMaximum: number
  /** Maximum packet size of the client. */
  readonly maxPacketBytes: number
  readonly topicAliasMaximum: number
  /** Whether answers may carry a reason string [MQTT-3.1.2-29]. */
  readonly wantsProblems: boolean
}

export interface Will {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: boolean
  readonly delaySeconds: number
  /** null: no expiry. */
  readonly expirySeconds: number | null
  /** Properties for its subscribers. */
  readonly forwarded: Buffer
}

/** A session with this expiry does not expire [3.1.2.11.2]. */
const NEVER = 0xffff_ffff
const LEVELS: Readonly<Record<string, readonly number[]>> = { MQTT: [4, 5], MQIsdp: [3] }

/**
 * The protocol level of a CONNECT, which decides how everything else of it is read and answered.
 *
 * @returns null: not a CONNECT of a known protocol
 */
export function levelOf(frame: Frames): Level | null {
  const { name, level } = protocolOf(frame) ?? {}
  return LEVELS[name ?? '']?.includes(level ?? 0) ? (level as Level) : null
}

/** Whether it is a CONNECT of MQTT, whatever its level. */
export function isMqtt(frame: Frames): boolean {
  return (protocolOf(frame)?.name ?? '') in LEVELS
}

function protocolOf({ bytes, start, bodyStart, end }: Frames) {
  if (bytes[start] !== 0x10 || end - bodyStart < 8) return null
  const nameEnd = bodyStart + 2 + bytes.readUInt16BE(bodyStart)
  if (nameEnd >= end) return null
  return { name: bytes.toString('latin1', bodyStart + 2, nameEnd), level: bytes[nameEnd] as number }
}

/** @throws ProtocolFault */
export function readConnect({ bytes, bodyStart, end }: Frames, level: Level): Connect {
  const reader = new Reader(bytes, bodyStart, end)
  reader.string()
  reader.uint8()
  const flags = reader.uint8()
  // [MQTT-3.1.2-3]
  if ((flags & 1) !== 0) throw new ProtocolFault(REASON.malformedPacket, 'a reserved flag in CONNECT')
  const keepAliveSeconds = reader.uint16()
  const properties = level === 5 ? readProperties(reader, ALLOWED.connect) : NO_PROPERTIES
  const { present } = properties
  if (present.has(PROPERTY.authenticationData) && !present.has(PROPERTY.authenticationMethod)) {
    // [3.1.2.11.10]
    throw new ProtocolFault(REASON.protocolError, 'authentication data without a method')
  }
  if (present.has(PROPERTY.authenticationMethod)) {
    throw new ProtocolFault(REASON.badAuthenticationMethod, 'enhanced authentication is not supported')
  }
  const clientId = reader.string()
  const will = readWill(reader, flags, level)
  const hasUsername = (flags & 0x80) !== 0
  const hasPassword = (flags & 0x40) !== 0
  // A password without a username is new in MQTT 5 [MQTT-3.1.2-22 of 3.1.1].
  if (level < 5 && hasPassword && !hasUsername)
    throw new ProtocolFault(REASON.malformedPacket, 'a password without a username')
  const username = hasUsername ? reader.string() : undefined
  const password = hasPassword ? Buffer.from(reader.binary()) : undefined
  if (!reader.isAtEnd) throw new ProtocolFault(REASON.malformedPacket, 'CONNECT with more than its fields')
  const cleanStart = (flags & 2) !== 0
  return {
    ...{ level, clientId, cleanStart, keepAliveSeconds, username, password, will },
    ...limits(properties, level === 5 ? null : cleanStart),
  }
}

/** @param isClean the clean session flag of 3.1.1; null: MQTT 5 */
function limits({ numbers }: Properties, isClean: boolean | null) {
  const expiry = numbers.get(PROPERTY.sessionExpiry) ?? 0
  const seconds = isClean === null ? expiry : isClean ? 0 : NEVER
  return {
    expirySeconds: seconds === NEVER ? Number.POSITIVE_INFINITY : seconds,
    receiveMaximum: aboveZero(numbers.get(PROPERTY.receiveMaximum)) ?? 65_535,
    maxPacketBytes: aboveZero(numbers.get(PROPERTY.maximumPacketSize)) ?? Number.POSITIVE_INFINITY,
    topicAliasMaximum: numbers.get(PROPERTY.topicAliasMaximum) ?? 0,
    wantsProblems: numbers.get(PROPERTY.requestProblemInformation) !== 0,
  }
}

function aboveZero(value: number | undefined): number | undefined {
  if (value === 0) throw new ProtocolFault(REASON.protocolError, 'a maximum of 0')
  return value
}

function readWill(reader: Reader, flags: number, level: Level): Will | null {
  const qos = (flags >> 3) & 3
  const retain = (flags & 0x20) !== 0
  if ((flags & 4) === 0) {
    // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
    if (qos !== 0 || retain) throw new ProtocolFault(REASON.malformedPacket, 'flags of a will without a will')
    return null
  }
  // [MQTT-3.1.2-12]
  if (qos === 3) throw new ProtocolFault(REASON.malformedPacket, 'a will with QoS 3')
  const { numbers, forwarded } = level === 5 ? readProperties(reader, ALLOWED.will) : NO_PROPERTIES
  const topic = reader.string()
  const payload = Buffer.from(reader.binary())
  if (!isTopicName(topic)) throw new ProtocolFault(REASON.topicNameInvalid, 'a will with an invalid topic')
  return {
    ...{ topic, payload, qos: qos as Qos, retain, forwarded },
    delaySeconds: numbers.get(PROPERTY.willDelay) ?? 0,
    expirySeconds: numbers.get(PROPERTY.messageExpiry) ?? null,
  }
}
