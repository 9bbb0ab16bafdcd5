import { answeredId, answerReason, readDisconnect } from '../mqtt/answer-packet.ts'
import type { Connect } from '../mqtt/connect-packet.ts'
import type { Frames } from '../mqtt/frames.ts'
import {
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../mqtt/packet-types.ts'
import { ProtocolFault, REASON } from '../mqtt/reasons.ts'
import type { BrokerParts, Client } from './broker-parts.ts'
import { IncomingMessages } from './incoming-messages.ts'
import type { Outlet, Session } from './session.ts'
import { subscribe, unsubscribe } from './subscribe.ts'

/** Most PUBACKs have this first byte and nothing but their identifier. */
const SHORT_PUBACK = PUBACK << 4

export interface SessionPacketsOptions {
  readonly session: Session
  readonly parts: BrokerParts
  readonly connect: Connect
  /** DISCONNECT has come. */
  readonly onDisconnect: (isWillDue: boolean) => void
}

/** The packets of a client between CONNACK and the end of its connection. */
export class SessionPackets {
  readonly #client: Client & Pick<Outlet, 'monotonicMs'>
  readonly #options: SessionPacketsOptions
  readonly #messages: IncomingMessages

  constructor(client: Client & Pick<Outlet, 'monotonicMs'>, options: SessionPacketsOptions) {
    const { session, parts, connect } = options
    this.#client = client
    this.#options = options
    this.#messages = new IncomingMessages(client, session, { ...parts, connect })
  }

  /** Everything in one read has the same server time, as has what waited for the intake and is read now. */
  beginRead(): void {
    this.#messages.beginRead()
  }

  /** Of the message that waits for the intake. */
  get isQos0Waiting(): boolean {
    return this.#messages.isQos0Waiting
  }

  close(): void {
    this.#messages.close()
  }

  /** Packets that wait for the intake as the connection ends. @throws ProtocolFault */
  unheard(frame: Frames): void {
    const type = (frame.bytes[frame.start] as number) >> 4
    if (type === PUBLISH) this.#messages.unheard(frame)
    else if (type === DISCONNECT) this.#onDisconnect(frame)
  }

  /** @throws ProtocolFault */
  read(frame: Frames): void {
    const first = frame.bytes[frame.start] as number
    const type = first >> 4
    const { session, connect, parts } = this.#options
    // Most packets are of these kinds.
    if (type === PUBLISH) return this.#messages.publish(frame)
    if (first === SHORT_PUBACK && frame.end - frame.bodyStart === 2)
      return void session.acknowledge(answeredId(frame))
    checkFlags(first, connect)
    const messages = this.#other(type, frame)
    if (this.#client.isClosed) return
    const pauseMs = parts.rules.charge(this.#client, { messages, bytes: frame.end - frame.start })
    if (pauseMs > 0) this.#client.pauses.forMs(pauseMs)
  }

  /** @returns for how many messages it counts: an answer to a message counts as none */
  #other(type: number, frame: Frames): number {
    const { session, connect } = this.#options
    const hasProperties = connect.level === 5
    switch (type) {
      case PUBREC:
        return Number(!this.#onPubrec(answeredId(frame), answerReason(frame, hasProperties)))
      case PUBREL:
        answerReason(frame, hasProperties)
        return Number(!this.#messages.released(answeredId(frame)))
      case PUBACK:
      case PUBCOMP:
        answerReason(frame, hasProperties)
        return Number(!session.acknowledge(answeredId(frame)))
      case SUBSCRIBE:
        return subscribe(frame, this.#conversation())
      case UNSUBSCRIBE:
        return unsubscribe(frame, this.#conversation())
      case PINGREQ:
        if (frame.end > frame.bodyStart)
          throw new ProtocolFault(REASON.malformedPacket, 'PINGREQ with a body')
        this.#client.output.pingresp()
        return 1
      case DISCONNECT:
        this.#onDisconnect(frame)
        return 0
      case CONNECT:
        // [MQTT-3.1.0-2]
        throw new ProtocolFault(REASON.protocolError, 'a second CONNECT')
      default:
        throw new ProtocolFault(REASON.protocolError, `a packet of type ${type} from a client`)
    }
  }

  #conversation() {
    const { session, parts, connect } = this.#options
    const { router, rules } = parts
    const { level, clientId } = connect
    return { peer: this.#client, session, output: this.#client.output, router, rules, level, clientId }
  }

  /** @returns whether it was in flight */
  #onPubrec(packetId: number, reason: number): boolean {
    const { session } = this.#options
    // An error ends the exchange [MQTT 5, 4.3.3].
    if (reason >= 0x80) return session.acknowledge(packetId)
    const isKnown = session.release(packetId)
    this.#client.output.answer(PUBREL, packetId, isKnown ? REASON.success : REASON.packetIdNotFound)
    return isKnown
  }

  #onDisconnect(frame: Frames): void {
    const { session, parts, connect, onDisconnect } = this.#options
    const { reason, expirySeconds } = readDisconnect(frame, connect.level === 5)
    if (expirySeconds !== undefined) {
      // [3.14.2.2.2]
      if (session.expirySeconds === 0 && expirySeconds > 0)
        throw new ProtocolFault(REASON.protocolError, 'a session expiry in DISCONNECT but none in CONNECT')
      parts.sessions.setExpiry(session, expirySeconds)
    }
    // [MQTT-3.14.4-3]: no other reason removes the will.
    onDisconnect(reason !== REASON.success)
  }
}

/** [MQTT-2.1.3-1]; MQTT 3.1 has flags in more packets. */
function checkFlags(first: number, { level }: Connect): void {
  const type = first >> 4
  const wanted = type === PUBREL || type === SUBSCRIBE || type === UNSUBSCRIBE ? 2 : 0
  if (level > 3 && (first & 0x0f) !== wanted)
    throw new ProtocolFault(REASON.malformedPacket, 'reserved flags of a fixed header')
}
