import { type Connect, isMqtt, levelOf } from '../mqtt/connect-packet.ts'
import { Frames } from '../mqtt/frames.ts'
import { Output } from '../mqtt/output.ts'
import type { Level } from '../mqtt/packet-types.ts'
import { ProtocolFault, REASON, type Reason, reasonForConnack } from '../mqtt/reasons.ts'
import type { CallOff } from '../pipeline/clock.ts'
import { beginSession } from './begin-session.ts'
import type { BrokerParts, Client } from './broker-parts.ts'
import { keepAliveOf } from './keep-alive.ts'
import { leaveWill } from './leave-will.ts'
import type { Link } from './link.ts'
import { Liveness } from './liveness.ts'
import { Pauses } from './pauses.ts'
import { readLogin } from './read-login.ts'
import type { LoggedIn } from './rules.ts'
import type { Outlet, Session } from './session.ts'
import { SessionPackets } from './session-packets.ts'

/**
 * Client id, user and password take some hundred bytes, and a will may contain a message. Anyone may send a CONNECT,
 * which is buffered: with a limit of 16 MiB, 300 connections took 3 GB.
 */
const MAX_CONNECT_BYTES = 64 * 1024
/** A client that sends requests and does not read the answers is not read either. */
const MAX_UNREAD_BYTES = 2 * 1024 * 1024
/** For the intake to take what a client sent before it left. */
const LEAVING_MS = 10_000
/** What is read behind a message that has to wait, so that a PINGREQ among it is answered. */
const MAX_BEHIND_BYTES = 64 * 1024
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
  #packets: SessionPackets | null = null
  readonly #liveness: Liveness
  #isWillDue = true
  /** The intake takes no more at present. Unlike `hold` of Frames, which is also for the login and the end. */
  #isHeld = false
  /** Its client sends no more, while some of it waits for the intake. Calls off the end of that. */
  #leaving: CallOff | null = null
  #level: Level | null = null
  output: Output

  constructor(link: Link, parts: BrokerParts) {
    this.#link = link
    this.#parts = parts
    this.#liveness = new Liveness(link, parts.clock.monotonicMs())
    this.#frames = new Frames(Math.min(MAX_CONNECT_BYTES, parts.maxPacketBytes), () => this.#frame())
    this.output = new Output(4, (bytes) => this.#write(bytes))
    this.pauses = new Pauses(link, parts.clock, () => this.#liveness.heard(this.monotonicMs()))
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
    this.#liveness.heard(this.monotonicMs())
    this.#packets?.beginRead()
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
    this.#packets?.beginRead()
    if (this.#state === 'open') this.#guarded(() => this.#frames.release())
    this.#limitBehind()
    if (this.#leaving !== null && !this.#mustWait) this.#end(null)
  }

  /** Whoever connects may send without end while its login waits. */
  #limitBehind(): void {
    const mustWait = this.#isHeld || this.#state === 'logging in'
    this.pauses.set('intake', mustWait && this.#frames.bytesBehind > MAX_BEHIND_BYTES)
  }

  /** The network has taken what was written. */
  drained(): void {
    if (this.waitingBytes <= MAX_UNREAD_BYTES) this.pauses.set('unread', false)
    this.#session?.pump()
  }

  /**
   * The network has closed or failed, or the client sends no more. With QoS 0 it does not wait for anything before it
   * leaves, as `mosquitto_pub -l` does: what waits for the intake is taken first, and a DISCONNECT at its end takes back
   * the will [MQTT-3.14.4-3]. Of a message with QoS 1 or 2 without an answer, the client keeps its copy.
   */
  lost(): void {
    if (this.#state === 'open' && this.#mustWait)
      this.#leaving ??= this.#parts.clock.after(LEAVING_MS, () => this.#end(null))
    else this.#end(null)
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
    if (this.#leaving !== null) return
    const fault = this.#liveness.look({
      nowMs,
      keepAliveSeconds: keepAliveOf(this.#connect as Connect),
      isRead: !this.pauses.isPaused,
      missed: this.#session?.missed ?? 0,
    })
    if (fault !== null) this.close(fault)
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
    if (this.#state === 'closed') this.#packets?.unheard(this.#frames)
    else if (this.#packets !== null) this.#packets.read(this.#frames)
    else if (this.#state === 'connecting') this.#onConnect()
  }

  #onConnect(): void {
    const level = levelOf(this.#frames)
    if (level === null) {
      // [MQTT-3.1.2-2] of 3.1.1
      if (isMqtt(this.#frames)) this.output.connack(REASON.unsupportedVersion, false, null)
      return this.#end(new ProtocolFault(REASON.unsupportedVersion, 'no CONNECT that is known'))
    }
    this.#begin(level)
    const login = readLogin(this.#frames, level)
    if (login.kind === 'refused') return this.#refuse(login.reason)
    const { connect, isIdAssigned } = login
    this.output.maxBytes = connect.maxPacketBytes
    this.#connect = connect
    this.#state = 'logging in'
    this.#frames.maxBytes = this.#parts.maxPacketBytes
    this.#frames.hold()
    const { rules } = this.#parts
    rules.login(this, connect).then(
      (login) => this.#loggedIn(login, isIdAssigned),
      () => this.#refuse(REASON.serverUnavailable),
    )
  }

  #loggedIn(login: LoggedIn & { readonly reason: Reason }, isIdAssigned: boolean): void {
    // The client left while it waited, and must not displace a newer connection of the same client.
    if (this.#state !== 'logging in') return
    if (login.reason !== REASON.success) return this.#refuse(login.reason)
    const connect = this.#connect as Connect
    const begun = beginSession(this, { connect, login, isIdAssigned }, this.#parts)
    if (begun.kind === 'refused') return this.#refuse(begun.reason)
    this.#session = begun.session
    this.#state = 'open'
    this.#link.opened()
    // Nothing may precede CONNACK [MQTT-3.2.0-1].
    if (!this.output.connack(REASON.success, begun.isPresent, begun.capabilities))
      return this.#end(new ProtocolFault(REASON.packetTooLarge, 'CONNACK exceeds its maximum packet size'))
    this.#parts.connections.opened(this)
    // Its account may have changed while it logged in, which closes it.
    if (this.isClosed) return
    this.#packets = new SessionPackets(this, {
      ...{ session: begun.session, parts: this.#parts, connect },
      onDisconnect: (isWillDue) => {
        this.#isWillDue = isWillDue
        if (this.#state === 'open') this.#end(null)
      },
    })
    begun.session.connect(this)
    this.#packets.beginRead()
    this.#guarded(() => this.#frames.release())
    this.#limitBehind()
  }

  #refuse(reason: Reason): void {
    if (this.#state === 'closed') return
    this.output.connack(reasonForConnack(reason), false, null)
    this.#end(null)
  }

  #write(bytes: Buffer): void {
    // A client that has closed both sides resets the connection, which would end it before its messages are taken.
    if (this.#leaving !== null) return
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
    this.#leaving?.()
    if (this.#isHeld) this.#countUnheard()
    this.#frames.hold()
    this.pauses.end()
    this.#packets?.close()
    this.#parts.connections.ended(this, error)
    const session = this.#session
    if (session === null) return
    const connect = this.#connect as Connect
    const isDue = connect.will !== null && this.#isWillDue
    const publishWill = isDue ? () => leaveWill(this, connect, { ...this.#parts, session }) : null
    this.#parts.sessions.leave(session, connect.will, publishWill)
  }

  /** A message with QoS 0 waits for the intake. */
  get #mustWait(): boolean {
    return this.#isHeld && this.#packets?.isQos0Waiting === true
  }

  #countUnheard(): void {
    this.#isHeld = false
    try {
      this.#frames.release()
    } catch {
      // The rest is no MQTT, and its sender is gone.
    }
  }
}
