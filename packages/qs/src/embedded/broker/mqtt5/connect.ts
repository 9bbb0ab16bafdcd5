import { randomUUID } from 'node:crypto'
import { generate, type IConnectPacket } from 'mqtt-packet'
import { decode, numberProperty } from './decode.ts'
import { type MessageProperties, willProperties } from './publish-properties.ts'
import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { isTopicName } from './topics.ts'

/** What an MQTT 5 client asks for in CONNECT and 3.1.1 cannot say. */
export interface Mqtt5Session {
  readonly clientId: string
  readonly isIdAssigned: boolean
  /** What is left of an older session is thrown away, and yet this one may outlast its connection. */
  readonly isCleanStart: boolean
  /** aedes has it as a session that outlasts its connection. */
  readonly isDurable: boolean
  /** How long the session outlasts its connection; 0xFFFFFFFF: for ever. */
  readonly expirySeconds: number
  /** Messages of QoS 1 and 2 that may be under way to the client. */
  readonly receiveMaximum: number
  /** Larger packets must not be sent to the client. */
  readonly maxPacketBytes: number
  readonly will: Mqtt5Will | null
}

/** What a will has beyond 3.1.1. */
export interface Mqtt5Will {
  readonly delaySeconds: number
  readonly properties: MessageProperties | null
}

/**
 * CONNECT. The two flags of MQTT 5 and the one of 3.1.1:
 *
 * | clean start | session expiry | clean session | and besides                                             |
 * |-------------|----------------|---------------|---------------------------------------------------------|
 * | yes         | 0              | yes           |                                                         |
 * | yes         | > 0            | no            | an older session is thrown away first [MQTT-3.1.2-4]    |
 * | no          | 0              | no            | the session is thrown away when the connection ends     |
 * | no          | > 0            | no            | thrown away when it expires; 0xFFFFFFFF: never          |
 *
 * `SessionLifetimes` does what is in the last column, and `WillDelays` gives the will its delay and its properties.
 *
 * @throws Mqtt5Fault
 */
export function connect5To4(frame: Buffer): { readonly session: Mqtt5Session; readonly bytes: Buffer } {
  const packet = decode(frame)
  if (packet.cmd !== 'connect') throw new Mqtt5Fault(REASON.protocolError, 'no CONNECT')
  const { will, keepalive, password, properties } = packet
  if (properties?.authenticationMethod !== undefined) {
    throw new Mqtt5Fault(REASON.badAuthenticationMethod, 'enhanced authentication, which is not supported')
  }
  if (will !== undefined && !isTopicName(will.topic)) {
    throw new Mqtt5Fault(REASON.topicNameInvalid, 'a will with a topic that is none')
  }
  if ((will?.qos ?? 0) > 2) throw new Mqtt5Fault(REASON.malformedPacket, 'a will with QoS 3')
  const session = { ...sessionOf(packet), will: will === undefined ? null : willOf(will, frame) }
  // A password without a username is new in MQTT 5 [3.1.2.9].
  const username = packet.username ?? (password === undefined ? undefined : '')
  const bytes = generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: session.clientId,
    clean: !session.isDurable,
    keepalive: keepalive ?? 0,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(will !== undefined && {
      will: { topic: will.topic, payload: will.payload, qos: will.qos ?? 0, retain: will.retain ?? false },
    }),
  })
  return { session, bytes }
}

function willOf({ properties }: NonNullable<IConnectPacket['will']>, frame: Buffer): Mqtt5Will {
  return {
    delaySeconds: numberProperty(properties?.willDelayInterval, 0) ?? 0,
    properties: willProperties(frame),
  }
}

function sessionOf({ clientId, clean = true, properties }: IConnectPacket): Omit<Mqtt5Session, 'will'> {
  const expirySeconds = numberProperty(properties?.sessionExpiryInterval, 0) ?? 0
  return {
    // [MQTT-3.1.3-6], [MQTT-3.1.3-7]
    clientId: clientId === '' ? `auto-${randomUUID()}` : clientId,
    isIdAssigned: clientId === '',
    isCleanStart: clean,
    isDurable: !clean || expirySeconds > 0,
    expirySeconds,
    receiveMaximum: numberProperty(properties?.receiveMaximum, 1) ?? 65_535,
    maxPacketBytes: numberProperty(properties?.maximumPacketSize, 1) ?? Number.POSITIVE_INFINITY,
  }
}
