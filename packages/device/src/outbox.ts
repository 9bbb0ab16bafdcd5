import type { DeviceAck } from '@qs-telemetry/protocol'
import { Fifo } from './fifo.ts'
import { eventsInOrder, isRefusedByItsSize, rawAnsweredBy, suspectOf } from './match-acks.ts'
import {
  bytesOf,
  eventCountOf,
  type KeptEvent,
  newMessage,
  type OutMessage,
  type RawPayload,
} from './out-message.ts'

/*
 * The events that have no device ack yet. No I/O, no clock, no timer.
 *
 *   add() → fresh → next() → in flight → settle() → gone
 *                     ↑          │ due(), connectionLost(), a refused array
 *                     └─ ready ──┘
 *
 * Invariants: an event leaves only through settle() or abandon(); it is in exactly one of fresh, ready and in flight;
 * at most `maxInFlightMessages` messages are in flight; messages in `ready` are sent before fresh events.
 */

export interface OutboxOptions {
  /** Maximum events in an array; 1 sends single objects. */
  readonly batchEvents: number
  readonly messageBytes: number
  readonly maxInFlightMessages: number
  /** First wait for a device ack; doubled with each further attempt, up to eight times. */
  readonly resendAfterMs: number
}

/** What a message on the ack topic settled. */
export interface Settlement {
  readonly events: readonly (readonly [KeptEvent, DeviceAck])[]
  readonly raw: readonly [RawPayload, readonly DeviceAck[]] | null
  /** A device ack without id for an unreadable message that could not be identified. */
  readonly unnamed: DeviceAck | null
}

/**
 * An array that was published three times without an answer is sent again in two halves: some brokers end connections at
 * large packets, also that of an ingester at its device ack, and over 3.1.1 none can say how large one may be (Moquette:
 * 8,092 bytes). If the cause was another one, larger arrays are tried again after 256 answers. The kit for boards does the
 * same.
 */
const [HALVE_AFTER_COPIES, DOUBLE_AFTER_ANSWERS] = [3, 256]

const NOTHING: Settlement = { events: [], raw: null, unnamed: null }

export class Outbox {
  readonly #options: OutboxOptions
  readonly #messageOf = new Map<string, { readonly event: KeptEvent; message: OutMessage | null }>()
  readonly #fresh = new Fifo<KeptEvent>()
  readonly #ready = new Fifo<OutMessage>()
  readonly #inFlight = new Set<OutMessage>()
  /** Raw messages that were published at least once, oldest first. */
  readonly #sentRaws = new Set<OutMessage>()
  /**
   * Device acks without id that may still arrive for further copies of settled messages. They must not be taken for the
   * answer to another message. If they were lost, resending brings others.
   */
  #unnamedOwed = 0
  #waiting = 0
  #waitingBytes = 0
  // Lowered when the ingester refuses an array that the local limits allow.
  #batchEvents: number
  #batchBytes: number
  // Lowered while arrays get no answer.
  #answeredEvents = Number.POSITIVE_INFINITY
  #answers = 0

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#batchEvents = options.batchEvents
    this.#batchBytes = options.messageBytes
  }

  /** Events, and elements of raw payloads, without device ack. */
  get waiting(): number {
    return this.#waiting
  }

  /** JSON bytes of the waiting events, without raw payloads. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** The waiting event with an id. */
  find(eventId: string): KeptEvent | undefined {
    return this.#messageOf.get(eventId)?.event
  }

  /** Every waiting event, oldest first. */
  *events(): Generator<KeptEvent> {
    for (const { event } of this.#messageOf.values()) yield event
  }

  add(event: KeptEvent): void {
    this.#messageOf.set(event.eventId, { event, message: null })
    this.#fresh.push(event)
    this.#waiting++
    this.#waitingBytes += event.bytes
  }

  addRaw(raw: RawPayload): void {
    this.#ready.push(newMessage({ kind: 'raw', raw }))
    this.#waiting += raw.eventIds.length
  }

  /** The next message to publish, now in flight; null if there is none or the window is full. */
  next(nowMs: number): OutMessage | null {
    if (this.#inFlight.size >= this.#options.maxInFlightMessages) return null
    const message = this.#nextReady() ?? this.#nextFresh()
    if (message === null) return null
    message.attempts++
    message.copies++
    message.dueAtMs = nowMs + this.#options.resendAfterMs * 2 ** Math.min(message.attempts - 1, 3)
    this.#inFlight.add(message)
    if (message.content.kind === 'raw') this.#sentRaws.add(message)
    return message
  }

  /** When the first message in flight is due again; null if none is in flight. */
  nextDueMs(): number | null {
    let due: number | null = null
    for (const { dueAtMs } of this.#inFlight) if (due === null || dueAtMs < due) due = dueAtMs
    return due
  }

  /** Takes messages with an overdue device ack out of flight, so that next() returns them again. */
  due(nowMs: number): number {
    const overdue = [...this.#inFlight].filter((message) => message.dueAtMs <= nowMs)
    this.#again(overdue)
    return overdue.length
  }

  /** The connection is lost, and with it every device ack on its way: everything in flight is sent again. */
  connectionLost(): void {
    this.#again([...this.#inFlight])
  }

  /** Processes one message of device acks, in the order of its elements. */
  settle(deviceAcks: readonly DeviceAck[]): Settlement {
    const [only] = deviceAcks
    const unnamed = deviceAcks.length === 1 && only?.event_id === null ? only : null
    if (unnamed !== null && this.#unnamedOwed > 0) {
      this.#unnamedOwed--
      return NOTHING
    }
    const rawMessage = rawAnsweredBy(this.#sentRaws, deviceAcks)
    if (rawMessage !== null) return this.#settleRaw(rawMessage, deviceAcks)
    if (unnamed !== null) return this.#settleUnnamed(unnamed)
    if (isRefusedByItsSize(deviceAcks)) return this.#settleTooLarge(deviceAcks)

    this.#answered()
    const inOrder = eventsInOrder(deviceAcks, (id) => this.#messageOf.get(id)?.message)
    const events: (readonly [KeptEvent, DeviceAck])[] = []
    for (const [index, deviceAck] of deviceAcks.entries()) {
      const id = deviceAck.event_id ?? inOrder[index]?.eventId
      const event = id === undefined ? undefined : this.#forget(id)
      if (event !== undefined) events.push([event, named(deviceAck, event)])
    }
    return { ...NOTHING, events }
  }

  /** Gives up on everything. */
  abandon(error: Error): void {
    for (const { event } of this.#messageOf.values()) event.abandon(error)
    for (const { content } of [...this.#inFlight, ...this.#ready]) {
      if (content.kind === 'raw') content.raw.abandon(error)
    }
  }

  #answered(): void {
    if (++this.#answers < DOUBLE_AFTER_ANSWERS) return
    this.#answers = 0
    this.#answeredEvents *= 2
  }

  get #mostEvents(): number {
    return Math.min(this.#batchEvents, this.#answeredEvents)
  }

  #again(messages: readonly OutMessage[]): void {
    for (const message of messages) this.#inFlight.delete(message)
    this.#ready.pushFront(messages)
  }

  #nextReady(): OutMessage | null {
    for (let message = this.#ready.shift(); message !== undefined; message = this.#ready.shift()) {
      if (message.open === 0) continue
      const { content } = message
      if (content.kind === 'events' && content.events.length > message.open) {
        message.content = { kind: 'events', events: content.events.filter((event) => this.#waits(event)) }
      }
      if (content.kind === 'raw' || message.open === 1 || message.copies < HALVE_AFTER_COPIES) return message
      // Any of them may still be answered.
      this.#unnamedOwed += message.copies
      this.#answeredEvents = Math.min(this.#answeredEvents, Math.ceil(message.open / 2))
      this.#answers = 0
      this.#split(message, this.#waitingOf(message))
    }
    return null
  }

  /**
   * No linger time: while half of the window is free everything is sent at once, otherwise only full arrays, so that a
   * lone event leaves at once and a flood leaves in large arrays.
   */
  #nextFresh(): OutMessage | null {
    const busy = this.#inFlight.size * 2 >= this.#options.maxInFlightMessages && this.#inFlight.size > 0
    if (this.#fresh.size === 0 || (busy && this.#fresh.size < this.#mostEvents)) return null
    const events: KeptEvent[] = []
    let bytes = 1
    for (let event = this.#fresh.peek(); event !== undefined; event = this.#fresh.peek()) {
      bytes += event.bytes + 1
      if (events.length > 0 && (events.length >= this.#mostEvents || bytes > this.#batchBytes)) break
      this.#fresh.shift()
      events.push(event)
    }
    const message = newMessage({ kind: 'events', events })
    this.#assign(message)
    return message
  }

  #assign(message: OutMessage): void {
    if (message.content.kind === 'raw') return
    for (const { eventId } of message.content.events) {
      const entry = this.#messageOf.get(eventId)
      if (entry !== undefined) entry.message = message
    }
  }

  #waits(event: KeptEvent): boolean {
    return this.#messageOf.get(event.eventId)?.event === event
  }

  #forget(eventId: string): KeptEvent | undefined {
    const entry = this.#messageOf.get(eventId)
    // The device ack cannot be for an event that was never published: its id was used before, perhaps in another run.
    if (entry === undefined || entry.message === null) return undefined
    this.#messageOf.delete(eventId)
    this.#waiting--
    this.#waitingBytes -= entry.event.bytes
    if (--entry.message.open === 0) this.#inFlight.delete(entry.message)
    return entry.event
  }

  #settleRaw(message: OutMessage, deviceAcks: readonly DeviceAck[]): Settlement {
    if (message.content.kind !== 'raw') return NOTHING
    if (deviceAcks.length === 1 && deviceAcks[0]?.event_id === null) this.#unnamedOwed += message.copies - 1
    this.#sentRaws.delete(message)
    this.#inFlight.delete(message)
    this.#waiting -= message.open
    message.open = 0
    return { ...NOTHING, raw: [message.content.raw, deviceAcks] }
  }

  #settleUnnamed(deviceAck: DeviceAck): Settlement {
    const sentBefore = [...this.#ready].filter(({ attempts, open }) => attempts > 0 && open > 0)
    const suspect = suspectOf([...this.#inFlight, ...sentBefore], deviceAck)
    if (suspect === null) return { ...NOTHING, unnamed: deviceAck }
    if (suspect.content.kind === 'raw') return this.#settleRaw(suspect, [deviceAck])
    this.#unnamedOwed += suspect.copies - 1
    const events = this.#waitingOf(suspect)
    const [first] = events
    if (events.length > 1 || first === undefined) {
      this.#halve(suspect, events)
      return NOTHING
    }
    const event = this.#forget(first.eventId)
    return event === undefined ? NOTHING : { ...NOTHING, events: [[event, named(deviceAck, event)]] }
  }

  /**
   * The ingester refused an array for its size and named its events: they are sent again in two halves. Further acks of
   * the array are ignored, since the halves are not published yet.
   */
  #settleTooLarge(deviceAcks: readonly DeviceAck[]): Settlement {
    const events: (readonly [KeptEvent, DeviceAck])[] = []
    for (const deviceAck of deviceAcks) {
      const { event, message } = this.#messageOf.get(deviceAck.event_id ?? '') ?? {}
      if (event === undefined || !message || message.copies === 0) continue
      const waiting = this.#waitingOf(message)
      if (waiting.length > 1) this.#halve(message, waiting)
      // The refusal of an array says nothing about an event that is sent alone by now.
      else if (deviceAcks.length === 1 && this.#forget(event.eventId) !== undefined)
        events.push([event, deviceAck])
    }
    return { ...NOTHING, events }
  }

  #waitingOf({ content }: OutMessage): readonly KeptEvent[] {
    return content.kind === 'raw' ? [] : content.events.filter((event) => this.#waits(event))
  }

  /** Sends a refused array again in two halves. Harmless if another one was refused: it gives duplicates. */
  #halve(message: OutMessage, events: readonly KeptEvent[]): void {
    this.#batchEvents = Math.max(1, Math.min(this.#batchEvents, Math.ceil(eventCountOf(message) / 2)))
    this.#batchBytes = Math.max(1, Math.min(this.#batchBytes, Math.ceil(bytesOf(message) / 2)))
    this.#split(message, events)
  }

  #split(message: OutMessage, events: readonly KeptEvent[]): void {
    const half = Math.ceil(events.length / 2)
    const halves = [events.slice(0, half), events.slice(half)].map((part) =>
      newMessage({ kind: 'events', events: part }, message.attempts),
    )
    for (const part of halves) this.#assign(part)
    message.open = 0
    this.#inFlight.delete(message)
    this.#ready.pushFront(halves)
  }
}

/** Adds the id of the event to a device ack without one. */
function named(deviceAck: DeviceAck, event: KeptEvent): DeviceAck {
  return { ...deviceAck, event_id: event.eventId }
}
