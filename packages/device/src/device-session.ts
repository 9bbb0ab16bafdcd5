import { ackFor, type DeviceAck, type Limits } from '@qs-telemetry/protocol'
import type { DeviceWarning } from './device-warning.ts'
import { DeviceError } from './errors.ts'
import type { JournalOptions } from './journal.ts'
import { eventCountOf, payloadOf, type RawPayload } from './out-message.ts'
import { Outbox, type OutboxOptions } from './outbox.ts'
import {
  type CompletedEvent,
  type CompletionContext,
  completeEvent,
  completeText,
  type OutgoingEvent,
  readKept,
} from './outgoing-event.ts'
import { expectedIds } from './raw-payload.ts'
import { SessionJournal } from './session-journal.ts'
import { Signal } from './signal.ts'
import { type DeviceCounts, Tally } from './tally.ts'

export interface DeviceSessionOptions extends Omit<OutboxOptions, 'messageBytes'> {
  readonly deviceId: string
  /** Topic of the device's events. */
  readonly topic: string
  readonly maxWaitingEvents: number
  readonly limits: Limits
  readonly journal: JournalOptions | null
  readonly onWarning: (warning: DeviceWarning) => void
  /** Shared by devices that are counted together. */
  readonly tally?: Tally
  /** Called after each message of device acks, for sessions that share a connection. */
  readonly onSettled?: () => void
}

/** What a session needs from a connection; many sessions may share one. */
export interface SessionLink {
  readonly isReady: boolean
  /** Whether the broker takes another message now. */
  readonly hasRoom: boolean
  /** Calls once, when the broker has answered a message; nothing if the connection is lost before. */
  whenRoom(call: () => void): void
  publish(topic: string, payload: string | Buffer, onRefused: (error: Error) => void): void
}

/**
 * One device on a connection: its outbox, the promises of its events, and the resend timer.
 *
 * Publishing happens once per turn of the event loop, so that events sent in a row leave in one array.
 */
export class DeviceSession {
  readonly #options: DeviceSessionOptions
  readonly #link: SessionLink
  readonly #outbox: Outbox
  readonly #journal: SessionJournal
  readonly #tally: Tally
  readonly #idle = new Signal()
  readonly #room = new Signal()
  #pump: NodeJS.Immediate | null = null
  #resend: NodeJS.Timeout | null = null
  #closed = false
  readonly #onRoom = () => this.#publish()

  constructor(options: DeviceSessionOptions, link: SessionLink) {
    this.#options = options
    this.#link = link
    this.#tally = options.tally ?? new Tally()
    this.#outbox = new Outbox({ ...options, messageBytes: options.limits.messageBytes })
    this.#journal = new SessionJournal(options)
  }

  /** Reads the journal, if any; its events are sent as soon as the connection is ready. */
  open(): void {
    for (const json of this.#journal.open()) {
      void this.#keep(readKept(json))
    }
    if (this.#hasRoom) this.#journal.reportLoss((event) => this.send(event))
  }

  counts(): DeviceCounts {
    return this.#tally.counts()
  }

  send(event: OutgoingEvent): Promise<DeviceAck> {
    return this.#takeOn((context) => completeEvent(event, context))
  }

  sendText(json: string): Promise<DeviceAck> {
    return this.#takeOn((context) => completeText(json, context))
  }

  #takeOn(complete: (context: CompletionContext) => CompletedEvent): Promise<DeviceAck> {
    try {
      this.#admit()
      const completed = complete({ ...this.#options, nextEventId: this.#journal.nextEventId })
      const { eventId } = completed
      if (this.#outbox.find(eventId) !== undefined) {
        throw new DeviceError('EVENT_ID_IN_USE', `Event "${eventId}" still waits for its device ack`)
      }
      this.#journal.keep(completed)
      return this.#keep(completed)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  sendRaw(payload: string | Uint8Array): Promise<readonly DeviceAck[]> {
    try {
      this.#admit()
    } catch (error) {
      return Promise.reject(error)
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const eventIds = expectedIds(bytes)
    this.#tally.takenOn(eventIds.length)
    return handled(
      new Promise((settle, abandon) => {
        this.#outbox.addRaw({ payload: bytes, eventIds, settle, abandon })
        this.#schedule()
      }),
    )
  }

  async ready(): Promise<void> {
    while (!this.#closed && !this.#hasRoom) await this.#room.wait()
  }

  async flush(): Promise<void> {
    while (!this.#closed && this.#outbox.waiting > 0) await this.#idle.wait()
  }

  connectionReady(): void {
    this.#schedule()
  }

  connectionLost(): void {
    this.#outbox.connectionLost()
    this.#armResend()
  }

  receive(payload: Uint8Array): void {
    const deviceAcks = ackFor(payload)
    if (deviceAcks === null) {
      this.#warn({ kind: 'unreadable', deviceId: this.#options.deviceId })
      return
    }
    const { events, raw, unnamed } = this.#outbox.settle(deviceAcks)
    const eventIds = events.map(([{ eventId }]) => eventId)
    this.#journal.forget(eventIds, this.#outbox)
    for (const [event, deviceAck] of events) {
      this.#settled(deviceAck)
      event.settle(deviceAck)
    }
    if (raw !== null) this.#settledRaw(...raw)
    if (unnamed !== null)
      this.#warn({ kind: 'unnamed', deviceId: this.#options.deviceId, deviceAck: unnamed })
    if (this.#hasRoom) this.#room.notify()
    if (this.#outbox.waiting === 0) this.#idle.notify()
    this.#schedule()
    this.#options.onSettled?.()
  }

  /** Ends the session at once; pending promises are rejected with `CLOSED`. Returns how many events still wait. */
  close(): number {
    this.#closed = true
    if (this.#pump !== null) clearImmediate(this.#pump)
    if (this.#resend !== null) clearTimeout(this.#resend)
    const where = this.#journal.isPresent ? 'It is in the journal' : 'This process did not keep it'
    this.#outbox.abandon(new DeviceError('CLOSED', `Closed before the device ack arrived. ${where}`))
    this.#room.notify()
    this.#idle.notify()
    this.#journal.close()
    return this.#outbox.waiting
  }

  get #hasRoom(): boolean {
    return this.#outbox.waiting < this.#options.maxWaitingEvents
  }

  #admit(): void {
    if (this.#closed) throw new DeviceError('CLOSED', 'The client is closed')
    if (this.#hasRoom) return
    const { waiting } = this.#outbox
    throw new DeviceError('QUEUE_FULL', `${waiting} events wait for their device ack: await ready() first`)
  }

  #keep(completed: CompletedEvent): Promise<DeviceAck> {
    this.#tally.takenOn(1)
    return handled(
      new Promise((settle, abandon) => {
        this.#outbox.add({ ...completed, sinceMs: performance.now(), settle, abandon })
        this.#schedule()
      }),
    )
  }

  #schedule(): void {
    if (this.#closed || (!this.#link.isReady && !this.#journal.isPresent)) return
    this.#pump ??= setImmediate(() => {
      this.#pump = null
      // Events reach the disk also while there is no connection.
      if (this.#journal.sync()) this.#publish()
    })
  }

  #publish(): void {
    if (this.#closed || !this.#link.isReady || !this.#journal.sync()) return
    const nowMs = performance.now()
    while (this.#link.hasRoom) {
      const message = this.#outbox.next(nowMs)
      if (message === null) break
      this.#tally.published(message.attempts, eventCountOf(message))
      this.#link.publish(this.#options.topic, payloadOf(message, nowMs), (error) =>
        this.#warn({ kind: 'refused', deviceId: this.#options.deviceId, error }),
      )
    }
    if (!this.#link.hasRoom) this.#link.whenRoom(this.#onRoom)
    this.#armResend()
  }

  /** One timer, for the message that is due first. It may fire late, instead of being reset by each device ack. */
  #armResend(): void {
    const dueMs = this.#outbox.nextDueMs()
    if (this.#resend !== null || dueMs === null || this.#closed) return
    this.#resend = setTimeout(
      () => {
        this.#resend = null
        if (this.#outbox.due(performance.now()) > 0) this.#schedule()
        this.#armResend()
      },
      Math.max(1, dueMs - performance.now()),
    )
  }

  #settledRaw(raw: RawPayload, deviceAcks: readonly DeviceAck[]): void {
    // A message refused as a whole may have fewer device acks than elements; the last one counts for the rest.
    const unnamed = raw.eventIds.length - deviceAcks.length
    for (const [index, deviceAck] of deviceAcks.entries())
      this.#settled(deviceAck, index === deviceAcks.length - 1 ? 1 + unnamed : 1)
    raw.settle(deviceAcks)
  }

  #settled(deviceAck: DeviceAck, events = 1): void {
    const { deviceId } = this.#options
    this.#tally.settled(deviceAck, events)
    if (deviceAck.status === 'rejected') this.#warn({ kind: 'rejected', deviceId, deviceAck })
    else if (deviceAck.warning !== undefined) this.#warn({ kind: 'odd', deviceId, deviceAck })
  }

  #warn(warning: DeviceWarning): void {
    this.#options.onWarning(warning)
  }
}

/** A promise that need not be awaited: closing must not end a process that ignores its device acks. */
function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
