/** Boot counter in the ids. One number, since each scenario has a database of its own. */
const BOOT = 7
const WIFI_CHANNELS = 13

export interface EventStreamOptions {
  readonly devices: number
  readonly eventsPerMessage: number
}

/**
 * The events of a scenario, numbered from 0. Message after message goes round the devices, as with boards
 * that all send at the same pace. An id is `<device>-<boot>-<seq>`, as the docs recommend, so it tells its
 * number.
 */
export class EventStream {
  readonly #devices: number
  readonly #perMessage: number
  #ts = { ms: 0, iso: '' }

  constructor({ devices, eventsPerMessage }: EventStreamOptions) {
    this.#devices = devices
    this.#perMessage = eventsPerMessage
  }

  topicOf(message: number): string {
    return `qs/v1/${deviceName(message % this.#devices)}/events`
  }

  payloadOf(message: number): string {
    const first = message * this.#perMessage
    if (this.#perMessage === 1) return this.#event(first)
    const events = Array.from({ length: this.#perMessage }, (_, place) => this.#event(first + place))
    return `[${events.join(',')}]`
  }

  idOf(event: number): string {
    const message = Math.floor(event / this.#perMessage)
    const round = Math.floor(message / this.#devices)
    const seq = round * this.#perMessage + (event % this.#perMessage)
    return `${deviceName(message % this.#devices)}-${BOOT}-${String(seq).padStart(8, '0')}`
  }

  /** The inverse of `idOf`; null for an id that is not of this stream. */
  eventOf(id: string): number | null {
    const device = Number(id.slice(6, 11))
    const seq = Number(id.slice(-8))
    const round = Math.floor(seq / this.#perMessage)
    const event = (round * this.#devices + device) * this.#perMessage + (seq % this.#perMessage)
    return Number.isNaN(event) || this.idOf(event) !== id ? null : event
  }

  /** About 200 bytes, with what a board with a sensor says. */
  #event(event: number): string {
    const id = this.idOf(event)
    const value = (18 + (event % 997) / 100).toFixed(2)
    const meta = `{"rssi":${-50 - (event % 40)},"channel":${1 + (event % WIFI_CHANNELS)},"fw":"1.4.2"}`
    return (
      `{"schema":1,"event_id":"${id}","device_id":"${id.slice(0, 11)}","event_type":"temp",` +
      `"value":${value},"unit":"°C","ts_device":"${this.#now()}","meta":${meta}}`
    )
  }

  #now(): string {
    const ms = Date.now()
    if (ms !== this.#ts.ms) this.#ts = { ms, iso: new Date(ms).toISOString() }
    return this.#ts.iso
  }
}

function deviceName(device: number): string {
  return `esp32-${String(device).padStart(5, '0')}`
}
