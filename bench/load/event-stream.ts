import { fmix32 } from './fmix32.ts'

const WIFI_CHANNELS = 13
/** Device times are spaced as if this many events were measured in a millisecond. */
const EVENTS_PER_MS = 20
/** Distance in messages from a repeat to its original. */
const RESENT_BEHIND = 5_000

/** ordered: `<device>-<boot>-<seq>`, as the docs recommend. random: like a UUID of version 4. */
export type Ids = 'ordered' | 'random'

export interface EventStreamOptions {
  readonly devices: number
  readonly eventsPerMessage: number
  readonly ids: Ids
  /** Boot counter in the ids, below 4096: streams into the same table need different ones. */
  readonly boot: number
  /** Every nth message repeats an earlier one byte for byte; 0: none does. */
  readonly resendEvery: number
}

/**
 * The messages and events of a scenario, both numbered from 0. Messages rotate through the devices, as with boards that
 * all send at the same pace. An id contains the number of its event. The same number gives the same bytes, or a
 * repeated event would be a conflict.
 */
export class EventStream {
  readonly #options: EventStreamOptions
  readonly #startMs = Date.now()
  #ts = { ms: 0, iso: '' }

  constructor(options: EventStreamOptions) {
    this.#options = options
  }

  topicOf(message: number): string {
    return `qs/v1/${this.#device(this.#origin(message))}/events`
  }

  payloadOf(message: number): string {
    const { eventsPerMessage } = this.#options
    const first = this.firstEventOf(message)
    if (eventsPerMessage === 1) return this.#event(first)
    const events = Array.from({ length: eventsPerMessage }, (_, place) => this.#event(first + place))
    return `[${events.join(',')}]`
  }

  /** The number of its first event; that of an earlier event if the message is a repeat. */
  firstEventOf(message: number): number {
    return this.#origin(message) * this.#options.eventsPerMessage
  }

  isResent(message: number): boolean {
    const { resendEvery } = this.#options
    return resendEvery > 0 && message % resendEvery === resendEvery - 1
  }

  /** The number of different events in the first `messages` messages. */
  differentEvents(messages: number): number {
    const { resendEvery, eventsPerMessage } = this.#options
    const resent = resendEvery === 0 ? 0 : Math.floor(messages / resendEvery)
    return (messages - resent) * eventsPerMessage
  }

  idOf(event: number): string {
    const { devices, eventsPerMessage, ids, boot } = this.#options
    if (ids === 'random') return randomId(event, boot)
    const origin = Math.floor(event / eventsPerMessage)
    const round = Math.floor(origin / devices)
    const seq = round * eventsPerMessage + (event % eventsPerMessage)
    return `${this.#device(origin)}-${boot}-${String(seq).padStart(8, '0')}`
  }

  /** The inverse of `idOf`; null for an id of another stream. */
  eventOf(id: string): number | null {
    const event =
      this.#options.ids === 'random' ? Number.parseInt(id.slice(-12), 16) : this.#orderedEventOf(id)
    return Number.isNaN(event) || this.idOf(event) !== id ? null : event
  }

  #orderedEventOf(id: string): number {
    const { devices, eventsPerMessage } = this.#options
    const device = Number(id.slice(6, 11))
    const seq = Number(id.slice(-8))
    const round = Math.floor(seq / eventsPerMessage)
    return (round * devices + device) * eventsPerMessage + (seq % eventsPerMessage)
  }

  /** The number of a message when repeats are not counted; a repeat has the number of the repeated one. */
  #origin(message: number): number {
    const { resendEvery } = this.#options
    if (resendEvery === 0) return message
    if (!this.isResent(message)) return message - Math.floor(message / resendEvery)
    const before = message - Math.min(RESENT_BEHIND, (message >> 1) + 1)
    return this.#origin(this.isResent(before) ? before - 1 : before)
  }

  #device(origin: number): string {
    return `esp32-${String(origin % this.#options.devices).padStart(5, '0')}`
  }

  /** About 200 bytes with the content that a sensor board sends. */
  #event(event: number): string {
    const device = this.#device(Math.floor(event / this.#options.eventsPerMessage))
    const value = (18 + (event % 997) / 100).toFixed(2)
    const meta = `{"rssi":${-50 - (event % 40)},"channel":${1 + (event % WIFI_CHANNELS)},"fw":"1.4.2"}`
    return (
      `{"schema":1,"event_id":"${this.idOf(event)}","device_id":"${device}","event_type":"temp",` +
      `"value":${value},"unit":"°C","ts_device":"${this.#deviceTime(event)}","meta":${meta}}`
    )
  }

  #deviceTime(event: number): string {
    const ms = this.#startMs + Math.floor(event / EVENTS_PER_MS)
    if (ms !== this.#ts.ms) this.#ts = { ms, iso: new Date(ms).toISOString() }
    return this.#ts.iso
  }
}

/** Unordered for an index, due to the first eight digits; the last two groups are boot counter and event. */
function randomId(event: number, boot: number): string {
  const salt = fmix32(boot)
  const head = hex(fmix32(event ^ salt), 8)
  const middle = hex(fmix32(event + salt), 8)
  return `${head}-${middle.slice(0, 4)}-4${middle.slice(5)}-${hex(0x8000 | boot, 4)}-${hex(event, 12)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
