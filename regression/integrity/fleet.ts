import { DeviceClient } from '@qs-telemetry/device'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Ack, Checker } from '../checker.ts'
import { goodItem, type Item, type MakeItem } from './item.ts'

export interface FleetOptions {
  /** Ids are `{name}-{n}`; another name for each fleet of a stage. Default `device`. */
  readonly name?: string
  readonly devices?: number
  /** Of all devices together; default 300. */
  readonly eventsPerSecond?: number
  /** Events of one message; default 1, an object. */
  readonly arrayEvents?: number
  readonly qos?: 0 | 1 | 2
  /** First wait for a device ack; default 3,000 ms. A device sends again after a reconnect too. */
  readonly resendAfterMs?: number
  readonly makeItem?: MakeItem
}

export interface FleetContext {
  readonly url: string
  readonly checker: Checker
  readonly onAck: (ack: Ack) => void
}

const TICK_MS = 20
/** After a pause of this process events come at their pace again, and not all at once. */
const MAX_BURST_MS = 500
const RECONNECT_MS = 200

/**
 * Devices that keep each event until its device ack, at a steady pace, whatever happens to the rest of the world.
 * They are the device client that ships, one connection each.
 */
export class Fleet {
  readonly #options: Required<FleetOptions>
  readonly #context: FleetContext
  readonly #clients: readonly DeviceClient[]
  /** Of those acked since `takeLatencies`, from the first sending on. */
  #latenciesMs: number[] = []
  #timer: NodeJS.Timeout | null = null
  #sent = 0
  #acked = 0
  #lastAckMs: number | null = null
  #worstSilenceMs = 0
  /** Of events: what is due by the clock and not sent yet. */
  #owed = 0

  constructor(context: FleetContext, options: FleetOptions = {}) {
    this.#context = context
    this.#options = {
      name: 'device',
      devices: 8,
      eventsPerSecond: 300,
      arrayEvents: 1,
      qos: 1,
      resendAfterMs: 3_000,
      makeItem: goodItem,
      ...options,
    }
    const { name, devices, arrayEvents, qos, resendAfterMs } = this.#options
    this.#clients = Array.from(
      { length: devices },
      (_, n) =>
        new DeviceClient({
          url: context.url,
          deviceId: `${name}-${n}`,
          qos,
          batchEvents: arrayEvents,
          resendAfterMs,
          maxInFlightMessages: Number.POSITIVE_INFINITY,
          maxWaitingEvents: Number.POSITIVE_INFINITY,
          reconnectMs: RECONNECT_MS,
        }),
    )
  }

  get sent(): number {
    return this.#sent
  }

  /** Events that have their ack. */
  get acked(): number {
    return this.#acked
  }

  get waiting(): number {
    return this.#sent - this.#acked
  }

  /** The longest time without any device ack while some were waited for. */
  get worstSilenceMs(): number {
    return this.#worstSilenceMs
  }

  /** Connects, and begins to send. */
  async start(): Promise<void> {
    for (const client of this.#clients) client.open()
    await Promise.all(this.#clients.map((client) => client.connected()))
    this.resume()
  }

  /** Begins to send again after `pause`. */
  resume(): void {
    let lastMs = performance.now()
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      this.#owed += (Math.min(nowMs - lastMs, MAX_BURST_MS) / 1000) * this.#options.eventsPerSecond
      lastMs = nowMs
      while (this.#owed >= this.#options.arrayEvents) this.#sendMessage()
    }, TICK_MS)
  }

  /** Sends nothing new; what has no ack yet goes on being sent. */
  pause(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Settles when every event has its ack. */
  async flush(timeoutMs: number): Promise<void> {
    await until(() => this.waiting === 0, 'every event has its device ack', timeoutMs).catch((error) => {
      throw new Error(`${(error as Error).message}; ${this.waiting} of ${this.#sent} have none`)
    })
  }

  /** Sends nothing after its first message, and settles when that has its acks. */
  async sentOne(): Promise<void> {
    await until(() => this.#acked > 0, 'the first event has its device ack')
    this.pause()
    await this.flush(10_000)
  }

  /** From the first sending of an event to its ack, of those acked since the last call. */
  takeLatencies(): readonly number[] {
    const latencies = this.#latenciesMs
    this.#latenciesMs = []
    return latencies
  }

  async close(): Promise<void> {
    this.pause()
    await Promise.all(this.#clients.map((client) => client.close({ timeoutMs: 0 })))
  }

  /** As many events as one message has, from the device whose turn it is. */
  #sendMessage(): void {
    const { arrayEvents, makeItem, devices } = this.#options
    const client = this.#clients[(this.#sent / arrayEvents) % devices] as DeviceClient
    for (let n = 0; n < arrayEvents; n++) {
      this.#send(client, makeItem(client.deviceId, this.#sent++))
      this.#owed--
    }
  }

  #send(client: DeviceClient, item: Item): void {
    const { checker, onAck } = this.#context
    checker.sent(item)
    const startMs = performance.now()
    this.#lastAckMs ??= startMs
    client.send(item.fields).then(
      ({ status }) => {
        onAck({ deviceId: item.deviceId, eventId: item.eventId, status })
        this.#heard(startMs)
      },
      // Closed: what it kept is told as lost at the end.
      () => {},
    )
  }

  #heard(sentMs: number): void {
    const nowMs = performance.now()
    this.#acked++
    this.#worstSilenceMs = Math.max(this.#worstSilenceMs, nowMs - Math.max(this.#lastAckMs ?? nowMs, 0))
    this.#lastAckMs = this.waiting === 0 ? null : nowMs
    this.#latenciesMs.push(nowMs - sentMs)
  }
}
