import { randomUUID } from 'node:crypto'
import { generate, type IConnectPacket } from 'mqtt-packet'
import { decode, numberProperty } from './decode.ts'
import { type MessageProperties, willProperties } from './publish-properties.ts'
import { Mqtt5Fault, REASON } from './reason-codes.ts'
import { isTopicName } from './topics.ts'

/** Parts of an MQTT 5 CONNECT that 3.1.1 cannot express. */
export interface Mqtt5Session {
  readonly clientId: string
  readonly isIdAssigned: boolean
  /** An older session is discarded, although this one may outlast its connection. */
  readonly isCleanStart: boolean
  /** For aedes, the session outlasts its connection. */
  readonly isDurable: boolean
  /** How long the session outlasts its connection; 0xFFFFFFFF: no expiry. */
  readonly expirySeconds: number
  /** Maximum QoS 1 and 2 messages in flight to the client. */
  readonly receiveMaximum: number
  /** Maximum packet size of the client. */
  readonly maxPacketBytes: number
  readonly will: Mqtt5Will | null
}

/** Parts of a will that 3.1.1 does not have. */
export interface Mqtt5Will {
  readonly delaySeconds: number
  readonly properties: MessageProperties | null
}

/**
 * Translates CONNECT. The two flags of MQTT 5 and the one of 3.1.1:
 *
 * | clean start | session expiry | clean session | in addition                                             |
 * |-------------|----------------|---------------|---------------------------------------------------------|
 * | yes         | 0              | yes           |                                                         |
 * | yes         | > 0            | no            | an older session is discarded first [MQTT-3.1.2-4]      |
 * | no          | 0              | no            | the session is discarded when the connection ends       |
 * | no          | > 0            | no            | discarded when it expires; 0xFFFFFFFF: never            |
 *
 * `SessionLifetimes` implements the last column, and `WillDelays` the delay and properties of the will.
 *
 * @throws Mqtt5Fault
 */
export function connect5To4(frame: Buffer): { readonly session: Mqtt5Session; readonly bytes: Buffer } {
  const packet = decode(frame)
  if (packet.cmd !== 'connect') throw new Mqtt5Fault(REASON.protocolError, 'no CONNECT')
  const { will, keepalive, password, properties } = packet
  if (properties?.authenticationMethod !== undefined) {
    throw new Mqtt5Fault(REASON.badAuthenticationMethod, 'enhanced authentication is not supported')
  }
  if (will !== undefined && !isTopicName(will.topic)) {
    throw new Mqtt5Fault(REASON.topicNameInvalid, 'a will with an invalid topic')
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
