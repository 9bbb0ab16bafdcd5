import { generate, type IDisconnectPacket, type ISubscription, type Packet } from 'mqtt-packet'
import { connect5To4 } from './connect.ts'
import type { Conversation } from './conversation.ts'
import { decode, numberProperty } from './decode.ts'
import { publish5To4 } from './publish.ts'
import { Mqtt5Fault, REASON } from './reason-codes.ts'

const [PUBACK, PUBREC, PUBREL, PUBCOMP] = [0x40, 0x50, 0x62, 0x70] as const
const ACKNOWLEDGEMENTS: ReadonlySet<number> = new Set([PUBACK, PUBREC, PUBREL, PUBCOMP])
const PINGREQ = 0xc0

/**
 * Translates one packet of the client from 5 to 3.1.1. The packets of every message (PUBLISH and its acknowledgements)
 * are parsed by hand; all others by mqtt-packet.
 *
 * @throws Mqtt5Fault
 */
export function fromClient(conversation: Conversation, frame: Buffer): void {
  const type = (frame[0] as number) >> 4
  if ((type === 1) !== (conversation.session === null)) {
    throw new Mqtt5Fault(REASON.protocolError, 'CONNECT must be the first packet and no other [MQTT-3.1.0-2]')
  }
  switch (type) {
    case 1:
      return connect(conversation, frame)
    case 3:
      return publish(conversation, frame)
    case 4:
    case 5:
    case 6:
    case 7:
      return acknowledgement(conversation, frame)
    default:
      return other(conversation, decode(frame))
  }
}

function connect(conversation: Conversation, frame: Buffer): void {
  const { session, bytes } = connect5To4(frame)
  conversation.begin(session)
  conversation.forward(bytes)
}

function publish(conversation: Conversation, frame: Buffer): void {
  const properties = publish5To4(frame, conversation.toBroker)
  const { carrier, clientId } = conversation
  conversation.forwarded((packet) => {
    if (packet.cmd !== 'publish') return
    // For "no local": aedes compares clientId, but sets it too late for session queues.
    Object.assign(packet, { clientId })
    if (properties !== null) carrier.set(packet.payload as Buffer, properties)
  })
}

function acknowledgement(conversation: Conversation, frame: Buffer): void {
  const first = frame[0] as number
  const isBare = frame.length === 4 && frame[1] === 2 && ACKNOWLEDGEMENTS.has(first)
  const { messageId: packetId = 0, reasonCode = 0 } = isBare
    ? { messageId: frame.readUInt16BE(2) }
    : (decode(frame) as Packet & { reasonCode?: number })
  checkPacketId(packetId)
  // A PUBREC with an error ends the exchange [MQTT-4.3.3-4]; in 3.1.1 this takes a PUBCOMP.
  const type = first === PUBREC && reasonCode >= 0x80 ? PUBCOMP : first
  if (type === PUBACK || type === PUBCOMP) conversation.answered(packetId)
  conversation.forward([type, 2, packetId >> 8, packetId & 0xff])
}

function other(conversation: Conversation, packet: Packet): void {
  switch (packet.cmd) {
    case 'pingreq':
      return conversation.forward([PINGREQ, 0])
    case 'subscribe': {
      if (packet.properties?.subscriptionIdentifier !== undefined) {
        throw new Mqtt5Fault(REASON.subscriptionIdentifiers, 'a subscription identifier')
      }
      return subscribe(conversation, checkPacketId(packet.messageId), packet.subscriptions)
    }
    case 'unsubscribe': {
      const messageId = checkPacketId(packet.messageId)
      const { subscriptions, isSubscribed } = conversation
      const unsubscriptions = [...subscriptions.unsubscribe(messageId, packet.unsubscriptions, isSubscribed)]
      if (unsubscriptions.length === 0) return conversation.toClient.append(subscriptions.unsuback(messageId))
      return conversation.forward(generate({ cmd: 'unsubscribe', messageId, unsubscriptions }))
    }
    case 'disconnect':
      return disconnect(conversation, packet)
    case 'auth':
      // Enhanced authentication is refused at CONNECT, so AUTH is always an error [MQTT-4.12.0-6]. Not 0x8C, which
      // belongs to CONNACK: MQTT.js cannot parse it in a DISCONNECT.
      throw new Mqtt5Fault(REASON.protocolError, 'AUTH without an authentication method')
    default:
      throw new Mqtt5Fault(REASON.protocolError, `${packet.cmd} from a client`)
  }
}

/**
 * The MQTT 5 options bypass the packet: aedes honours them but cannot parse them. Retain handling is implemented in
 * `RetainHandling`. Retain as published is off for durable sessions: aedes assigns no packet identifier to a queued
 * message with that flag, so no PUBACK would ever remove it.
 */
function subscribe(conversation: Conversation, messageId: number, asked: readonly ISubscription[]): void {
  if (asked.length === 0) throw new Mqtt5Fault(REASON.protocolError, 'SUBSCRIBE without a topic filter')
  const subscriptions = [...conversation.subscriptions.subscribe(messageId, asked)]
  if (subscriptions.length === 0) {
    return conversation.toClient.append(conversation.subscriptions.suback(messageId, Buffer.alloc(0)))
  }
  conversation.forward(generate({ cmd: 'subscribe', messageId, subscriptions }), (packet) => {
    if (packet.cmd !== 'subscribe') return
    for (const [index, subscription] of packet.subscriptions.entries()) {
      const { nl, rap, rh } = subscriptions[index] ?? {}
      Object.assign(subscription, { nl, rap: rap && !conversation.session?.isDurable, rh })
    }
  })
}

/** Any reason but 0x00 publishes the will [MQTT-3.14.4-3]: in 3.1.1, this is a close without DISCONNECT. */
function disconnect(conversation: Conversation, { reasonCode, properties }: IDisconnectPacket): void {
  conversation.end(numberProperty(properties?.sessionExpiryInterval, 0))
  if (reasonCode === REASON.success) conversation.forward([0xe0, 0])
}

function checkPacketId(packetId: number | undefined): number {
  if (packetId !== undefined && packetId > 0) return packetId
  throw new Mqtt5Fault(REASON.malformedPacket, 'an invalid packet identifier [MQTT-2.2.1-3]')
}
