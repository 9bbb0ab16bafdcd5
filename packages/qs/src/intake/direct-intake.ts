import type { Instant } from '@qs-telemetry/protocol'
import type { Clock } from '../pipeline/clock.ts'
import type { Dropped, Intake, IntakeEvents, IntakeStatus } from '../pipeline/intake.ts'
import { AnswerWindow } from './answer-window.ts'
import { type Gate, Lane, type Load, type Origin, type Settled, type Share, type Way } from './lane.ts'
import { type Arrived, Taken } from './taken.ts'

export interface DirectIntakeOptions {
  /** Unsettled messages of all connections at which the share of each is small. */
  readonly highWatermark: Share
  readonly clock: Pick<Clock, 'every' | 'monotonicMs'>
  /** The largest payload of a device ack. */
  readonly maxPayloadBytes: number
}

/**
 * `wait`: the connection is now paused, and the message comes again. `drop`: it is counted as dropped; its subscribers
 * still get it.
 */
export type Admission = 'take' | 'drop' | 'wait'

/** The broker that carries device acks and dead letters to their subscribers. */
export interface Replies {
  publish(topic: string, payload: string, qos: 0 | 1): void
  isHeard(topic: string): boolean
}

/**
 * The share of one client: every other device waits for at most this much of it. An MQTT 5 client that obeys the Receive
 * Maximum is within it.
 */
export const SHARE: Share = { messages: 1_000, bytes: 256 * 1024 }
/**
 * Its share while all together are at the watermark: a device that sends now and then is taken, whatever another one
 * floods.
 */
const SMALL_SHARE: Share = { messages: 10, bytes: 8 * 1024 }
/** At twice the watermark, which only hundreds of connections that send all the time can reach. */
const NO_SHARE: Share = { messages: 0, bytes: 0 }
const HALF_SHARE: Share = { messages: SHARE.messages / 2, bytes: SHARE.bytes / 2 }
const NOTHING: Load = { messages: 0, bytes: 0 }
const NO_GATE: Gate = { pause: () => {}, resume: () => {} }
/**
 * The part of the watermark below which paused connections are read again. At a half, a batch held nearly all messages:
 * the writers waited for the next ones, and a third of both cores was idle.
 */
const RESUME_BELOW = 0.9
/** Without a commit between two looks, QoS 0 is dropped instead of waiting in the network. */
const LOOK_MS = 1_000

/**
 * Deliveries straight from the connections of the devices: `settle` sends the PUBACK or PUBREC.
 *
 * Memory is bounded by shares: a client at its share is paused, with its next message, until half of it is settled. The
 * share is small while all together are at the watermark, and nothing is left of it at twice the watermark. What a
 * paused connection has sent waits as bytes, up to 64 KiB, so that its PINGREQ is still answered. A connection that
 * publishes no events is never paused.
 *
 * QoS 0 has no answer that could wait. It waits in the network like all others, and is dropped and counted once
 * nothing has been committed for a second.
 */
export class DirectIntake implements Intake {
  readonly #options: DirectIntakeOptions
  readonly #paused = new Set<Lane>()
  #events: IntakeEvents | null = null
  #replies: Replies | null = null
  #unsettledMessages = 0
  #unsettledBytes = 0
  /** Of connections that have ended, by owner. */
  readonly #left = new Map<string, Load>()
  #qos0Dropped: Dropped | null = null
  #willsDropped: Dropped | null = null
  #hasSettled = false
  #isStalled = false
  #isDraining = false
  #isResumeDue = false
  #onIdle: (() => void) | null = null
  #stopLooking: () => void = () => {}

  constructor(options: DirectIntakeOptions) {
    this.#options = options
  }

  get status(): IntakeStatus {
    return {
      isConnected: this.#events !== null && !this.#isDraining,
      isPaused: this.#paused.size > 0,
      unsettledMessages: this.#unsettledMessages,
      unsettledBytes: this.#unsettledBytes,
      reconnects: 0,
      latestLoss: null,
      quarantined: null,
      sessionsLost: 0,
      publishesGivenUp: 0,
      qos0Dropped: this.#qos0Dropped,
      willsDropped: this.#willsDropped,
    }
  }

  get maxPayloadBytes(): number {
    return this.#options.maxPayloadBytes
  }

  /** Connects the pipeline behind it and the broker that carries its replies. */
  attach(events: IntakeEvents, replies: Replies): this {
    this.#events = events
    this.#replies = replies
    return this
  }

  async start(): Promise<void> {
    this.#stopLooking = this.#options.clock.every(LOOK_MS, () => this.#look())
  }

  publish(topic: string, payload: string, qos: 0 | 1): void {
    this.#replies?.publish(topic, payload, qos)
  }

  isHeard(topic: string): boolean {
    return this.#replies?.isHeard(topic) ?? false
  }

  /** @param way the answers of the connection, and the gate that stops and continues its messages */
  open(origin: Origin, way: Omit<Way, 'onSettle'>): Lane {
    return new Lane(origin, { ...way, onSettle: this.#onSettle })
  }

  /** The connection has ended. What it sent is settled without an answer. */
  close(lane: Lane): void {
    lane.isClosed = true
    lane.window.close()
    this.#paused.delete(lane)
    if (lane.load.messages === 0) return
    const left = this.#left.get(lane.owner) ?? { messages: 0, bytes: 0 }
    left.messages += lane.load.messages
    left.bytes += lane.load.bytes
    this.#left.set(lane.owner, left)
    lane.load = left
  }

  /** What happens to the next message of a connection. */
  admit(lane: Lane, qos: 0 | 1 | 2): Admission {
    lane.isQos0 = qos === 0
    const isOpen = this.#events !== null && !this.#isDraining
    if (isOpen && !this.#hasUsedUp(lane)) return 'take'
    if (isOpen && lane.isQos0 && this.#isStalled) {
      this.#qos0Dropped = this.#oneMore(this.#qos0Dropped, lane.clientId)
      return 'drop'
    }
    lane.isPaused = true
    this.#paused.add(lane)
    lane.gate.pause()
    return 'wait'
  }

  /** Call it for a message that `admit` wants taken. */
  take(lane: Lane, arrived: Arrived, receivedAt: Instant): void {
    const taken = new Taken(arrived, receivedAt, lane)
    if (arrived.qos > 0) lane.window.add(taken)
    const bytes = taken.read.taken() + taken.topic.length
    lane.load.messages++
    lane.load.bytes += bytes
    this.#unsettledMessages++
    this.#unsettledBytes += bytes
    this.#events?.onDelivery(taken)
  }

  /**
   * A will on an event topic. Its sender is gone, so nobody gets an answer and nothing can wait: it is taken while its
   * owner has room, and dropped otherwise.
   */
  takeWill({ topic, payload }: Pick<Arrived, 'topic' | 'payload'>, origin: Origin, at: Instant): void {
    const lane = this.open(origin, { window: new AnswerWindow(() => {}), gate: NO_GATE })
    if (this.#events === null || this.#isDraining || this.#hasUsedUp(lane)) {
      this.#willsDropped = this.#oneMore(this.#willsDropped, origin.clientId)
      return
    }
    this.take(lane, { topic, payload, qos: 1, packetId: 0, dup: false }, at)
    this.close(lane)
  }

  /** A message with QoS 0 was not taken: its connection has ended. */
  dropped(clientId: string): void {
    this.#qos0Dropped = this.#oneMore(this.#qos0Dropped, clientId)
  }

  async drain(): Promise<void> {
    this.#isDraining = true
    if (this.#unsettledMessages > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
  }

  async stop(): Promise<void> {
    this.#isDraining = true
    this.#stopLooking()
  }

  /** In a stall, those that have room again are read, and QoS 0 without room, to be dropped. */
  #look(): void {
    this.#isStalled = this.#unsettledMessages > 0 && !this.#hasSettled
    this.#hasSettled = false
    if (!this.#isStalled) return
    for (const lane of [...this.#paused]) {
      if (lane.isQos0 || !this.#hasUsedUp(lane)) this.#resume(lane)
    }
  }

  readonly #onSettle = ({ lane, topic, read }: Settled): void => {
    this.#hasSettled = true
    this.#isStalled = false
    const bytes = read.settled() + topic.length
    if (read.unsettled === 0) lane.forgetRead()
    lane.load.messages--
    lane.load.bytes -= bytes
    this.#unsettledMessages--
    this.#unsettledBytes -= bytes
    // A batch settles thousands of messages in one turn.
    if (this.#paused.size > 0 && !this.#isResumeDue) {
      this.#isResumeDue = true
      queueMicrotask(this.#resumeLow)
    }
    if (!lane.isClosed) lane.window.advance()
    else if (lane.load.messages === 0) this.#left.delete(lane.owner)
    if (this.#unsettledMessages === 0) this.#onIdle?.()
  }

  readonly #resumeLow = (): void => {
    this.#isResumeDue = false
    if (this.#isAbove(RESUME_BELOW)) return
    // One that was paused again is now the last in the set.
    for (const lane of [...this.#paused]) {
      if (this.#isAbove(1)) return
      if (!this.#hasUsedUp(lane, HALF_SHARE)) this.#resume(lane)
    }
  }

  #resume(lane: Lane): void {
    if (this.#isDraining) return
    lane.isPaused = false
    this.#paused.delete(lane)
    lane.gate.resume()
  }

  #oneMore(dropped: Dropped | null, client: string): Dropped {
    return { count: (dropped?.count ?? 0) + 1, client, atMs: this.#options.clock.monotonicMs() }
  }

  /** What ended connections of its owner have left counts too, so that reconnecting frees no share. */
  #hasUsedUp(lane: Lane, share = this.#share()): boolean {
    return lane.hasUsedUp(share, this.#left.get(lane.owner) ?? NOTHING)
  }

  #share(): Share {
    return !this.#isAbove(1) ? SHARE : !this.#isAbove(2) ? SMALL_SHARE : NO_SHARE
  }

  #isAbove(watermarks: number): boolean {
    const { messages, bytes } = this.#options.highWatermark
    return this.#unsettledMessages >= messages * watermarks || this.#unsettledBytes >= bytes * watermarks
  }
}
