import { randomUUID } from 'node:crypto'
import { answeredId, answerReason, readDisconnect } from '../mqtt/answer-packet.ts'
import { type Connect, isMqtt, levelOf, readConnect } from '../mqtt/connect-packet.ts'
import { Frames } from '../mqtt/frames.ts'
import { Output } from '../mqtt/output.ts'
import {
  CONNECT,
  DISCONNECT,
  type Level,
  PINGREQ,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBSCRIBE,
  UNSUBSCRIBE,
} from '../mqtt/packet-types.ts'
import { ProtocolFault, REASON, type Reason, reasonForConnack } from '../mqtt/reasons.ts'
import { type BrokerParts, type Client, RECEIVE_MAXIMUM, TOPIC_ALIAS_MAXIMUM } from './broker-parts.ts'
import { IncomingMessages } from './incoming-messages.ts'
import type { Link } from './link.ts'
import { Pauses } from './pauses.ts'
import type { Outlet, Session } from './session.ts'
import { willMessage } from './sessions.ts'
import { subscribe, unsubscribe } from './subscribe.ts'

/**
 * Client id, user and password take some hundred bytes, and a will may contain a message. Anyone may send a CONNECT,
 * which is buffered: with a limit of 16 MiB, 300 connections took 3 GB.
 */
const MAX_CONNECT_BYTES = 64 * 1024
/** A client that sends requests and does not read the answers is not read either. */
const MAX_UNREAD_BYTES = 2 * 1024 * 1024
const DEAF_MS = 5_000
/** What is read behind a message that has to wait, so that a PINGREQ among it is answered. */
const MAX_BEHIND_BYTES = 64 * 1024
/** Most PUBACKs have this first byte and nothing but their identifier. */
const SHORT_PUBACK = PUBACK << 4
/**
 * A board that lost its power must not hold its connection, its session and its will for hours (65,535 s, or for ever
 * with 0): they end after 450 s. Larger than the keep-alive of common clients (15 to 120 s), and about the time after
 * which routers forget an idle connection.
 */
const MAX_KEEP_ALIVE_SECONDS = 300

/** The client has not read its messages. */
export class DeafClient extends ProtocolFault {
  /** QoS 0 messages that it missed. */
  readonly missed: number

  constructor(missed: number) {
    super(REASON.unspecified, 'it did not read its messages')
    this.name = 'DeafClient'
    this.missed = missed
  }
}

type State = 'connecting' | 'logging in' | 'open' | 'closed'

/**
 * One client connection and its MQTT exchange. It knows no socket: bytes come in by `receive` and leave by its link.
 *
 * States: connecting (no CONNECT yet) → logging in (its further packets wait) → open (CONNACK sent) → closed. Whatever
 * closes it, `#finish` runs once.
 */
export class ClientConnection implements Client, Outlet {
  readonly #link: Link
  readonly #parts: BrokerParts
  readonly #frames: Frames
  readonly pauses: Pauses
  #state: State = 'connecting'
  #connect: Connect | null = null
  #session: Session | null = null
  #messages: IncomingMessages | null = null
  #heardMs: number
  #isWillDue = true
  /** The intake takes no more at present. */
  #isHeld = false
  #takenBefore = -1
  #takenAtMs = 0
  #level: Level | null = null
  output: Output

  constructor(link: Link, parts: BrokerParts) {
    this.#link = link
    this.#parts = parts
    this.#heardMs = parts.clock.monotonicMs()
    this.#frames = new Frames(Math.min(MAX_CONNECT_BYTES, parts.maxPacketBytes), () => this.#frame())
    this.output = new Output(4, (bytes) => this.#write(bytes))
    this.pauses = new Pauses(link, parts.clock, () => {
      this.#heardMs = parts.clock.monotonicMs()
    })
  }

  get clientId(): string {
    return this.#connect?.clientId ?? ''
  }

  get address(): string {
    return this.#link.address
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  get hasConnect(): boolean {
    return this.#state !== 'connecting'
  }

  get receiveMaximum(): number {
    return this.#connect?.receiveMaximum ?? 0
  }

  get waitingBytes(): number {
    return this.#link.waitingBytes + this.output.length
  }

  mayReceive(topic: string): boolean {
    return this.#parts.rules.mayReceive(this, topic)
  }

  monotonicMs(): number {
    return this.#parts.clock.monotonicMs()
  }

  receive(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.#heardMs = this.#parts.clock.monotonicMs()
    this.#messages?.beginRead()
    this.#guarded(() => this.#frames.feed(chunk))
    this.#limitBehind()
    if (this.waitingBytes > MAX_UNREAD_BYTES) this.pauses.set('unread', true)
  }

  /** The current message and all after it wait. Its PINGREQ does not. */
  pause(): void {
    this.#isHeld = true
    this.#frames.putBack(() => this.output.pingresp())
  }

  resume(): void {
    this.#isHeld = false
    if (this.#state === 'open') this.#guarded(() => this.#frames.release())
    this.#limitBehind()
  }

  #limitBehind(): void {
    this.pauses.set('intake', this.#isHeld && this.#frames.bytesBehind > MAX_BEHIND_BYTES)
  }

  /** The network has taken what was written. */
  drained(): void {
    if (this.waitingBytes <= MAX_UNREAD_BYTES) this.pauses.set('unread', false)
    this.#session?.pump()
  }

  /** The network has closed, or failed. */
  lost(): void {
    this.#finish(null)
  }

  /** Closes it for this reason, which an MQTT 5 client gets. */
  close(error: Error): void {
    if (this.#state === 'closed') return
    const reason = error instanceof ProtocolFault ? error.reason : REASON.unspecified
    if (this.#state === 'open') this.output.disconnect(reason)
    else if (this.#connect?.level === 5) this.output.connack(reasonForConnack(reason), false, null)
    this.#end(error)
  }

  /** Called about once a second. */
  look(nowMs: number): void {
    if (this.#state !== 'open') return
    const silentMs = nowMs - this.#heardMs
    const keepAliveSeconds = keepAliveOf(this.#connect as Connect)
    // [MQTT-3.1.2-22]. What it sends while it is not read, nobody hears.
    if (keepAliveSeconds > 0 && !this.pauses.isPaused && silentMs > keepAliveSeconds * 1_500) {
      this.close(new ProtocolFault(REASON.keepAliveTimeout, 'keep alive timeout'))
      return
    }
    const { taken, waitingBytes } = this.#link
    if (waitingBytes === 0 || taken !== this.#takenBefore) {
      this.#takenBefore = taken
      this.#takenAtMs = nowMs
    } else if (nowMs - this.#takenAtMs > DEAF_MS) this.close(new DeafClient(this.#session?.missed ?? 0))
  }

  #guarded(read: () => void): void {
    try {
      read()
    } catch (error) {
      if (!this.hasConnect && this.#connect === null) this.#begin(levelOf(this.#frames))
      this.#closeRefusing(error as Error)
    }
  }

  /** Without a known level there is no way to answer. */
  #closeRefusing(error: Error): void {
    if (this.#state !== 'connecting' || this.#level === null) return this.close(error)
    const reason = error instanceof ProtocolFault ? error.reason : REASON.unspecified
    if (this.#level === 5) this.output.connack(reasonForConnack(reason), false, null)
    this.#end(error)
  }

  #begin(level: Level | null): void {
    this.#level = level
    if (level !== null) this.output = new Output(level, (bytes) => this.#write(bytes))
  }

  #frame(): void {
    const first = this.#frames.bytes[this.#frames.start] as number
    const type = first >> 4
    if (this.#state === 'open') {
      // Most packets are of these kinds.
      if (type === PUBLISH) return this.#messages?.publish(this.#frames)
      if (first === SHORT_PUBACK && this.#frames.end - this.#frames.bodyStart === 2)
        return void this.#session?.acknowledge(answeredId(this.#frames))
      checkFlags(first, this.#connect as Connect)
      return this.#other(type)
    }
    if (this.#state === 'connecting') return this.#onConnect()
  }

  #other(type: number): void {
    const frame = this.#frames
    const hasProperties = this.#level === 5
    switch (type) {
      case PUBREC:
        return this.#onPubrec(answeredId(frame), answerReason(frame, hasProperties))
      case PUBREL:
        answerReason(frame, hasProperties)
        return this.#messages?.released(answeredId(frame))
      case PUBACK:
      case PUBCOMP:
        answerReason(frame, hasProperties)
        return void this.#session?.acknowledge(answeredId(frame))
      case SUBSCRIBE:
        return subscribe(frame, this.#conversation())
      case UNSUBSCRIBE:
        return unsubscribe(frame, this.#conversation())
      case PINGREQ:
        if (frame.end > frame.bodyStart)
          throw new ProtocolFault(REASON.malformedPacket, 'PINGREQ with a body')
        return this.output.pingresp()
      case DISCONNECT:
        return this.#onDisconnect()
      case CONNECT:
        // [MQTT-3.1.0-2]
        throw new ProtocolFault(REASON.protocolError, 'a second CONNECT')
      default:
        throw new ProtocolFault(REASON.protocolError, `a packet of type ${type} from a client`)
    }
  }

  #conversation() {
    const { router, rules } = this.#parts
    const { level, clientId } = this.#connect as Connect
    return {
      peer: this,
      session: this.#session as Session,
      output: this.output,
      router,
      rules,
      level,
      clientId,
    }
  }

  #onConnect(): void {
    const level = levelOf(this.#frames)
    if (level === null) {
      // [MQTT-3.1.2-2] of 3.1.1
      if (isMqtt(this.#frames)) this.output.connack(REASON.unsupportedVersion, false, null)
      return this.#end(new ProtocolFault(REASON.unsupportedVersion, 'no CONNECT that is known'))
    }
    this.#begin(level)
    const connect = readConnect(this.#frames, level)
    // A 3.1.1 client without an id cannot return to a session [MQTT-3.1.3-8]; MQTT 5 tells it its id.
    if (connect.clientId === '' && level < 5 && !connect.cleanStart) {
      return this.#refuse(REASON.clientIdInvalid)
    }
    this.output.maxBytes = connect.maxPacketBytes
    const isIdAssigned = connect.clientId === ''
    this.#connect = isIdAssigned ? { ...connect, clientId: `auto-${randomUUID()}` } : connect
    this.#state = 'logging in'
    this.#frames.maxBytes = this.#parts.maxPacketBytes
    this.#frames.hold()
    const { rules } = this.#parts
    rules.login(this, this.#connect).then(
      ({ reason, account }) => this.#loggedIn(reason, account, isIdAssigned),
      () => this.#refuse(REASON.serverUnavailable),
    )
  }

  #loggedIn(reason: Reason, account: string, isIdAssigned: boolean): void {
    // The client left while it waited, and must not displace a newer connection of the same client.
    if (this.#state !== 'logging in') return
    if (reason !== REASON.success) return this.#refuse(reason)
    const { sessions, connections, maxPacketBytes, rules } = this.#parts
    const connect = this.#connect as Connect
    // [MQTT-3.1.4-3]
    connections
      .get(connect.clientId)
      ?.close(new ProtocolFault(REASON.sessionTakenOver, 'another connection has taken over the session'))
    const begun = sessions.begin(connect, account)
    if (begun === null) {
      rules.refused(this, 'sessions', '')
      return this.#refuse(REASON.quotaExceeded)
    }
    this.#session = begun.session
    this.#state = 'open'
    connections.opened(this)
    const keepAliveSeconds = keepAliveOf(connect)
    const isWritten = this.output.connack(REASON.success, begun.isPresent, {
      receiveMaximum: RECEIVE_MAXIMUM,
      maxPacketBytes,
      topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
      assignedClientId: isIdAssigned ? connect.clientId : null,
      // [MQTT-3.2.2-21]
      serverKeepAliveSeconds: keepAliveSeconds === connect.keepAliveSeconds ? null : keepAliveSeconds,
      isPubackCommit: this.#parts.intake !== null,
    })
    // Nothing may precede CONNACK [MQTT-3.2.0-1].
    if (!isWritten)
      return this.#end(new ProtocolFault(REASON.packetTooLarge, 'CONNACK exceeds its maximum packet size'))
    this.#messages = new IncomingMessages(this, begun.session, { ...this.#parts, connect })
    begun.session.connect(this)
    this.#messages.beginRead()
    this.#guarded(() => this.#frames.release())
  }

  #refuse(reason: Reason): void {
    if (this.#state === 'closed') return
    this.output.connack(reasonForConnack(reason), false, null)
    this.#end(null)
  }

  #onPubrec(packetId: number, reason: number): void {
    // An error ends the exchange [MQTT 5, 4.3.3].
    if (reason >= 0x80) return void this.#session?.acknowledge(packetId)
    const isKnown = this.#session?.release(packetId)
    this.output.answer(PUBREL, packetId, isKnown ? REASON.success : REASON.packetIdNotFound)
  }

  #onDisconnect(): void {
    const { reason, expirySeconds } = readDisconnect(this.#frames, this.#level === 5)
    const session = this.#session as Session
    if (expirySeconds !== undefined) {
      // [3.14.2.2.2]
      if (session.expirySeconds === 0 && expirySeconds > 0)
        throw new ProtocolFault(REASON.protocolError, 'a session expiry in DISCONNECT but none in CONNECT')
      this.#parts.sessions.setExpiry(session, expirySeconds)
    }
    // [MQTT-3.14.4-3]: no other reason removes the will.
    this.#isWillDue = reason !== REASON.success
    this.#end(null)
  }

  #write(bytes: Buffer): void {
    if (this.#link.write(bytes) && this.#state === 'open') this.drained()
  }

  /** The last packets leave after `#finish`, so that nothing can follow them. */
  #end(error: Error | null): void {
    this.#finish(error)
    this.output.flush()
    this.#link.end()
  }

  #finish(error: Error | null): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#frames.hold()
    this.pauses.end()
    this.#messages?.close()
    this.#parts.connections.ended(this, error)
    const session = this.#session
    const will = this.#connect?.will ?? null
    if (session === null) return
    const publishWill = will === null || !this.#isWillDue ? null : () => this.#publishWill()
    this.#parts.sessions.leave(session, will, publishWill)
  }

  #publishWill(): void {
    const { will, clientId } = this.#connect as Connect
    if (will === null) return
    const { rules, publishWill, clock, isEvents } = this.#parts
    const { topic, payload } = will
    const isAllowed = rules.mayPublish(this, topic)
    rules.published(this, { topic, isAllowed, isEvents: isEvents(topic), payload })
    if (isAllowed) publishWill(willMessage(will, clientId, clock.monotonicMs()))
    else rules.refused(this, 'publish', topic)
  }
}

/** [MQTT-2.1.3-1]; MQTT 3.1 has flags in more packets. */
function checkFlags(first: number, { level }: Connect): void {
  const type = first >> 4
  const wanted = type === PUBREL || type === SUBSCRIBE || type === UNSUBSCRIBE ? 2 : 0
  if (level > 3 && (first & 0x0f) !== wanted)
    throw new ProtocolFault(REASON.malformedPacket, 'reserved flags of a fixed header')
}

/** [MQTT-3.2.2-21]: an MQTT 5 client is told another one. 3.1.1 has no way to tell it, so that its own one holds. */
function keepAliveOf({ level, keepAliveSeconds }: Connect): number {
  const isWithin = keepAliveSeconds > 0 && keepAliveSeconds <= MAX_KEEP_ALIVE_SECONDS
  return level < 5 || isWithin ? keepAliveSeconds : MAX_KEEP_ALIVE_SECONDS
}
