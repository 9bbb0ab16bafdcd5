import { DeviceClient } from '@qs-telemetry/device'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Ack, Checker } from '../checker.ts'
import { goodItem, type Item, type MakeItem } from './item.ts'
import { Pace } from './pace.ts'

export interface FleetOptions {
  /** Ids are `{name}-{n}`; each fleet of a stage needs its own name. Default `device`. */
  readonly name?: string
  readonly devices?: number
  /** Total of all devices; default 300. */
  readonly eventsPerSecond?: number
  /** Events in one message; default 1, an object. */
  readonly arrayEvents?: number
  readonly qos?: 0 | 1 | 2
  /** First wait for a device ack; default 3,000 ms. A device also resends after a reconnect. */
  readonly resendAfterMs?: number
  readonly makeItem?: MakeItem
}

export interface FleetContext {
  readonly url: string
  readonly checker: Checker
  readonly onAck: (ack: Ack) => void
}

const RECONNECT_MS = 200

/**
 * Devices that send at a steady pace and keep each event until its device ack, whatever happens elsewhere. They use
 * the shipped device client, one connection each.
 */
export class Fleet {
  readonly #options: Required<FleetOptions>
  readonly #context: FleetContext
  readonly #clients: readonly DeviceClient[]
  /** Of events acked since the last `takeLatencies`, measured from the first sending. */
  #latenciesMs: number[] = []
  readonly #pace: Pace
  #sent = 0
  #acked = 0
  #lastAckMs: number | null = null
  #worstSilenceMs = 0

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
    const { name, devices, arrayEvents, qos, resendAfterMs, eventsPerSecond } = this.#options
    this.#pace = new Pace(eventsPerSecond / arrayEvents, () => this.#sendMessage())
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

  get name(): string {
    return this.#options.name
  }

  get sent(): number {
    return this.#sent
  }

  /** Acked events. */
  get acked(): number {
    return this.#acked
  }

  get waiting(): number {
    return this.#sent - this.#acked
  }

  /** The longest time without a device ack while some were awaited. */
  get worstSilenceMs(): number {
    return this.#worstSilenceMs
  }

  /** Connects and starts to send. */
  async start(): Promise<void> {
    for (const client of this.#clients) client.open()
    await Promise.all(this.#clients.map((client) => client.connected()))
    this.resume()
  }

  /** Resumes sending after `pause`. */
  resume(): void {
    this.#pace.start()
  }

  /** Sends nothing new; unacked events are still resent. */
  pause(): void {
    this.#pace.stop()
  }

  /** Resolves when every event has its ack. */
  async flush(timeoutMs: number): Promise<void> {
    await until(() => this.waiting === 0, 'every event has its device ack', timeoutMs).catch((error) => {
      throw new Error(`${(error as Error).message}; ${this.waiting} of ${this.#sent} have none`)
    })
  }

  /** Sends nothing after its first message and resolves when that is acked. */
  async sentOne(): Promise<void> {
    await until(() => this.#acked > 0, 'the first event has its device ack')
    this.pause()
    await this.flush(10_000)
  }

  /** Times from first sending to ack, of the events acked since the last call. */
  takeLatencies(): readonly number[] {
    const latencies = this.#latenciesMs
    this.#latenciesMs = []
    return latencies
  }

  async close(): Promise<void> {
    this.pause()
    await Promise.all(this.#clients.map((client) => client.close({ timeoutMs: 0 })))
  }

  /** One message of events from the device whose turn it is. */
  #sendMessage(): void {
    const { arrayEvents, makeItem, devices } = this.#options
    const client = this.#clients[(this.#sent / arrayEvents) % devices] as DeviceClient
    for (let n = 0; n < arrayEvents; n++) this.#send(client, makeItem(client.deviceId, this.#sent++))
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
      // Closed: the events it kept are reported as lost at the end.
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
