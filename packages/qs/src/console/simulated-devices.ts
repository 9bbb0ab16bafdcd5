import { type BrokerOptions, type Simulation, simulate } from '@qs-telemetry/device'
import type { Config } from '../config/settings.ts'
import { QueryPool } from '../database/query-pool.ts'
import { removeDevices } from '../devices/remove-devices.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import type { SimulationService } from './services.ts'

const DEMO_PREFIX = 'demo-'

/** The simulation first replays this much of the past at this speed, so that charts show data within seconds. */
const [PAST_MS, SPEED] = [3 * 3_600_000, 1_500]

/** Longest wait for acks of simulated events if the pipeline is away. */
const DRAIN_TIMEOUT_MS = 5_000

export interface SimulatedDevicesOptions {
  readonly broker: BrokerOptions
  readonly config: Config
  /** URL with the owner role: those of the console and the ingester may not delete events. */
  readonly ownerUrl: DatabaseUrl
  /** Called before the rows of devices are deleted: see Sink.forgetDevices. */
  readonly pipeline: { forgetDevices(isGone: (deviceId: string) => boolean): void }
}

/** A dozen simulated devices on the broker, with occasional faults for demonstration. */
export class SimulatedDevices implements SimulationService {
  readonly #options: SimulatedDevicesOptions
  readonly #owner: QueryPool
  #simulation: Simulation | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: SimulatedDevicesOptions) {
    this.#options = options
    const timeoutMs = options.config.CONSOLE_QUERY_TIMEOUT
    this.#owner = new QueryPool(options.ownerUrl, { name: 'qs-simulation', connections: 1, timeoutMs })
  }

  async state() {
    const [row] = await this.#owner.query<{ devices: number }>(
      'select count(*)::int as devices from devices where starts_with(device_id, $1)',
      [DEMO_PREFIX],
    )
    return { running: this.#simulation !== null, devices: row?.devices ?? 0 }
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#start())
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop())
  }

  remove(): Promise<number> {
    return this.#inTurn(() => this.#remove())
  }

  /** Stops and closes the connection. */
  async end(): Promise<void> {
    await this.stop()
    await this.#owner.end()
  }

  /** Serializes calls: two concurrent starts would begin two simulations, and only the second could be stopped. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => {})
    return result
  }

  async #start(): Promise<void> {
    if (this.#simulation !== null) return
    // The past is simulated once: a second run would overlap the first.
    const hasPast = (await this.state()).devices > 0
    const { broker, config } = this.#options
    const simulation = simulate({
      broker,
      eventsTopic: config.MQTT_EVENTS_TOPIC.topicOf('+'),
      ackTemplate: config.ACK_TEMPLATE,
      timeZone: config.DEVICE_TIMEZONE,
      devicePrefix: DEMO_PREFIX,
      devices: 12,
      intervalMs: 5_000,
      ...(!hasPast && { startMs: Date.now() - PAST_MS, speed: SPEED }),
      faults: { broken: 0.0008 },
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
    })
    this.#simulation = simulation
    simulation.done
      .catch(() => {})
      .finally(() => {
        if (this.#simulation === simulation) this.#simulation = null
      })
  }

  async #stop(): Promise<void> {
    await this.#simulation?.stop().catch(() => {})
    this.#simulation = null
  }

  async #remove(): Promise<number> {
    await this.#stop()
    this.#options.pipeline.forgetDevices((deviceId) => deviceId.startsWith(DEMO_PREFIX))
    return removeDevices(this.#owner, DEMO_PREFIX)
  }
}
