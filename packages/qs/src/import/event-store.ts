import { formatInstant, type Instant } from '@qs-telemetry/protocol'
import type { Clock } from '../pipeline/clock.ts'
import { type Event, Message, type Outcome } from '../pipeline/message.ts'
import { CopyProspects } from '../sink/copy-prospects.ts'
import { CopyRows } from '../sink/copy-rows.ts'
import { gather, NO_MESSAGES } from '../sink/gather.ts'
import { KnownTypes } from '../sink/known-types.ts'
import { SetUp } from '../sink/set-up.ts'
import type { DeviceSeen } from '../sink/upsert-devices.ts'
import { Writer, type WriterOptions } from '../sink/writer.ts'

export interface EventStoreOptions extends Pick<WriterOptions, 'connect' | 'timeoutMs' | 'random' | 'log'> {
  readonly clock: Clock
  readonly eventTypes: number
}

/** The name of its rows in ingest_stats. */
const WRITER_NAME = 'import'
/** Events of one message: a released message is short. */
const MESSAGE_EVENTS = 1_000

/**
 * Stores events with a writer of the sink, one transaction after the other: the same statements as those of an
 * ingester, which may run meanwhile. The events are history: they were seen when they were measured, and say nothing about the rhythm in
 * which their devices send.
 */
export class EventStore {
  readonly #clock: Clock
  readonly #writer: Writer
  readonly #prospects = new CopyProspects()
  readonly #rows = new CopyRows()
  readonly #seen = new Map<string, DeviceSeen>()
  #newcomers: string[] = []

  constructor({ clock, eventTypes, ...options }: EventStoreOptions) {
    this.#clock = clock
    this.#writer = new Writer({
      ...options,
      ...{ clock, name: WRITER_NAME, isHistory: true, prospects: this.#prospects, setUp: new SetUp() },
      types: new KnownTypes(eventTypes),
      onRetry: () => {},
    })
  }

  /** Writes rows of devices and series that a killed import or ingester owes. */
  async recover(): Promise<void> {
    await this.#writer.write(NO_MESSAGES, [], 'recover')
  }

  /** @returns the outcome of each event, all committed */
  async store(events: readonly Event[], receivedAt: Instant): Promise<readonly Outcome[]> {
    const outcomes = new Array<Outcome>(events.length)
    let { messages, places } = messagesOf(events, receivedAt)
    while (messages.length > 0) {
      const isGood = this.#prospects.areGood(messages.map(({ delivery }) => delivery))
      const now = formatInstant(this.#clock.now())
      const batch = gather(messages, isGood ? this.#rows : null, now, events.length)
      const result = await this.#writer.write(batch, this.#takeNewcomers(), 'write')
      for (const [n, ofMessage] of result.entries())
        for (const [index, outcome] of ofMessage.entries()) {
          const place = places[n]?.[index] as number
          outcomes[place] = outcome
          if (outcome.kind === 'stored') this.#see(events[place] as Event)
        }
      messages = messages.slice(result.length)
      places = places.slice(result.length)
    }
    return outcomes
  }

  /** The time of the oldest event that it has stored; null before the first. */
  get oldest(): string | null {
    let oldest: string | null = null
    for (const { firstSeen } of this.#seen.values())
      if (oldest === null || firstSeen < oldest) oldest = firstSeen
    return oldest
  }

  /** Writes the rows of all devices. */
  async finish(): Promise<void> {
    if (this.#seen.size > 0) await this.#writer.write(NO_MESSAGES, [...this.#seen.values()])
    this.stop()
  }

  stop(): void {
    this.#writer.stop()
  }

  #see({ deviceId, ts }: Event): void {
    const seen = this.#seen.get(deviceId)
    if (seen === undefined) this.#newcomers.push(deviceId)
    if (seen === undefined || ts < seen.firstSeen || ts > seen.lastSeen)
      this.#seen.set(deviceId, {
        deviceId,
        firstSeen: seen === undefined || ts < seen.firstSeen ? ts : seen.firstSeen,
        lastSeen: seen === undefined || ts > seen.lastSeen ? ts : seen.lastSeen,
      })
  }

  #takeNewcomers(): readonly DeviceSeen[] {
    const newcomers = this.#newcomers
    this.#newcomers = []
    return newcomers.map((deviceId) => this.#seen.get(deviceId) as DeviceSeen)
  }
}

/** Messages of one device each, in order, and the place of each of their events. */
function messagesOf(events: readonly Event[], receivedAt: Instant) {
  const byDevice = new Map<string, number[][]>()
  for (const [place, { deviceId }] of events.entries()) {
    const parts = byDevice.get(deviceId)
    const last = parts?.at(-1)
    if (parts === undefined) byDevice.set(deviceId, [[place]])
    else if (last === undefined || last.length === MESSAGE_EVENTS) parts.push([place])
    else last.push(place)
  }
  const messages: Message[] = []
  const places: number[][] = []
  const tsServer = formatInstant(receivedAt)
  for (const [deviceId, parts] of byDevice) {
    for (const part of parts) {
      const elements = part.map((place) => events[place] as Event)
      const delivery = {
        ...{ topic: `qs/v1/${deviceId}/events`, payload: NO_BYTES, receivedAt },
        ...{ redelivered: false, leavesNoLetter: true, settle: () => {} },
      }
      messages.push(new Message({ delivery, deviceId, shape: 'array', tsServer, elements }, () => elements))
      places.push(part)
    }
  }
  return { messages, places }
}

const NO_BYTES = Buffer.alloc(0)
