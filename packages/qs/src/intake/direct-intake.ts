import type { Instant } from '@qs-telemetry/protocol'
import type { Clock } from '../pipeline/clock.ts'
import type { Intake, IntakeEvents, IntakeStatus } from '../pipeline/intake.ts'
import { AnswerWindow } from './answer-window.ts'
import { type Gate, Lane, type Settled, type Share } from './lane.ts'
import { type Arrived, Taken } from './taken.ts'

export interface DirectIntakeOptions {
  /** Unsettled messages of all connections at which the share of each is small. */
  readonly highWatermark: Share
  /** The watermark in messages while nothing is committed. Default: STALLED_MESSAGES. */
  readonly stalledMessages?: number
  readonly clock: Pick<Clock, 'every' | 'monotonicMs'>
  /** The largest payload of a device ack. */
  readonly maxPayloadBytes: number
}

/** The broker that carries device acks and dead letters to their subscribers. */
export interface Replies {
  publish(topic: string, payload: string, qos: 0 | 1): void
  isHeard(topic: string): boolean
}

/**
 * The share of one connection: every other device waits for at most this much of it. One message more than an MQTT 5
 * client may have unanswered (Receive Maximum), so one that obeys it is read, and its PINGREQ answered.
 */
const SHARE: Share = { messages: 1_001, bytes: 256 * 1024 }
/**
 * Its share while all connections together are at the watermark. A device that waits for its PUBACK, or sends now and
 * then, is still read and its PINGREQ answered, whatever another one floods; 10,000 connections add 80 MB at most.
 */
const SMALL_SHARE: Share = { messages: 10, bytes: 8 * 1024 }
/**
 * The watermark while nothing is committed, so that the devices go on: of a device that has used up its share nothing
 * is read, not even its PINGREQ, and it connects again and sends everything again. 100 devices with a message a second
 * fill it in ten minutes. While PostgreSQL works, so many would cost a quarter more CPU time: they outlive the young
 * half of the heap.
 */
export const STALLED_MESSAGES = 60_000
const HALF_SHARE: Share = { messages: SHARE.messages / 2, bytes: SHARE.bytes / 2 }
const NOTHING: Share = { messages: 0, bytes: 0 }
const NO_GATE: Gate = { pause: () => {}, resume: () => {} }
/** Without a commit between two looks, QoS 0 is dropped instead of waiting in the network. */
const LOOK_MS = 1_000

/**
 * Deliveries straight from the connections of the devices: `settle` sends the PUBACK or PUBREC.
 *
 * Memory is bounded by shares. A connection that has used up its share is paused until half of that is settled, in the
 * middle of a read if need be, so the rest of at most one read (64 KiB) waits as bytes. The share is small while all
 * connections together are at the watermark. A connection that publishes no events is always read: its other topics
 * flow and its PINGREQ is answered while PostgreSQL is away.
 *
 * What a connection leaves unsettled at its end counts against the small share of its client's next one, which then
 * adds one message: devices that reconnect again and again during an outage, since nobody reads their PINGREQ, would
 * otherwise add ten each time.
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
  /** Unsettled messages of clients whose connection has ended. */
  readonly #remains = new Map<string, Share>()
  #dropped: IntakeStatus['qos0Dropped'] = null
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
      qos0Dropped: this.#dropped,
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

  /** @param window the answers of the connection @param gate stops and continues its reading */
  open(client: string, window: AnswerWindow, gate: Gate): Lane {
    return new Lane(window, gate, { client, onSettle: this.#onSettle })
  }

  /** The connection has ended. What it sent is settled without an answer. */
  close(lane: Lane): void {
    lane.isClosed = true
    lane.window.close()
    this.#paused.delete(lane)
    if (lane.unsettledMessages > 0) this.#leave(lane.client, lane.unsettledMessages, lane.unsettledBytes)
  }

  /** Answers that wait behind those of events count too: a 3.1.1 client knows no Receive Maximum. */
  checkShare(lane: Lane): void {
    if (!lane.isPaused && this.#hasUsedUp(lane)) this.#pause(lane)
  }

  /** @returns false if it was not taken: the sender keeps it, and nothing more comes from there */
  take(lane: Lane, arrived: Arrived, receivedAt: Instant): boolean {
    if (this.#events === null || this.#isDraining) {
      this.#pause(lane)
      return false
    }
    lane.isQos0 = arrived.qos === 0
    if (lane.isQos0 && this.#isStalled && this.#hasUsedUp(lane)) {
      const count = (this.#dropped?.count ?? 0) + 1
      this.#dropped = { count, client: lane.client, atMs: this.#options.clock.monotonicMs() }
      return true
    }
    const taken = new Taken(arrived, receivedAt, lane)
    if (!lane.isQos0) lane.window.add(taken)
    lane.unsettledMessages++
    lane.unsettledBytes += taken.payload.length
    this.#unsettledMessages++
    this.#unsettledBytes += taken.payload.length
    this.checkShare(lane)
    this.#events.onDelivery(taken)
    return true
  }

  /** A will on an event topic. Its sender is gone, so nobody gets an answer, and nothing is dropped. */
  takeWill(
    { topic, payload }: { readonly topic: string; readonly payload: Buffer | string },
    at: Instant,
  ): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const lane = this.open('', new AnswerWindow(() => {}), NO_GATE)
    this.take(lane, { topic, payload: bytes, qos: 1, packetId: 0, dup: false }, at)
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

  readonly #onSettle = ({ lane, payload }: Settled): void => {
    this.#hasSettled = true
    this.#isStalled = false
    lane.unsettledMessages--
    lane.unsettledBytes -= payload.length
    this.#unsettledMessages--
    this.#unsettledBytes -= payload.length
    // A batch settles thousands of messages in one turn.
    if (this.#paused.size > 0 && !this.#isResumeDue) {
      this.#isResumeDue = true
      queueMicrotask(this.#resumeLow)
    }
    if (!lane.isClosed) lane.window.advance()
    else this.#leave(lane.client, -1, -payload.length)
    if (this.#unsettledMessages === 0) this.#onIdle?.()
  }

  readonly #resumeLow = (): void => {
    this.#isResumeDue = false
    const { messages, bytes } = this.#options.highWatermark
    if (this.#unsettledMessages * 2 > messages || this.#unsettledBytes * 2 > bytes) return
    // One that was paused again is now the last in the set.
    for (const lane of [...this.#paused]) {
      if (this.#isFull()) return
      if (!lane.hasUsedUp(HALF_SHARE) && lane.window.size < HALF_SHARE.messages) this.#resume(lane)
    }
  }

  #pause(lane: Lane): void {
    lane.isPaused = true
    this.#paused.add(lane)
    lane.gate.pause()
  }

  #resume(lane: Lane): void {
    if (this.#isDraining) return
    lane.isPaused = false
    this.#paused.delete(lane)
    lane.gate.resume()
  }

  #hasUsedUp(lane: Lane): boolean {
    if (lane.window.size >= SHARE.messages) return true
    return this.#isFull()
      ? lane.hasUsedUp(SMALL_SHARE, this.#remains.get(lane.client))
      : lane.hasUsedUp(SHARE)
  }

  #leave(client: string, messages: number, bytes: number): void {
    const before = this.#remains.get(client) ?? NOTHING
    const after = { messages: before.messages + messages, bytes: before.bytes + bytes }
    if (after.messages > 0) this.#remains.set(client, after)
    else this.#remains.delete(client)
  }

  #isFull(): boolean {
    const { messages, bytes } = this.#options.highWatermark
    const most = this.#isStalled ? (this.#options.stalledMessages ?? STALLED_MESSAGES) : messages
    return this.#unsettledMessages >= most || this.#unsettledBytes >= bytes
  }
}
