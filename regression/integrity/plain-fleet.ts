import { MqttLoad } from '../../bench/load/mqtt-load.ts'
import { goodItem } from './item.ts'
import { Pace } from './pace.ts'

export interface PlainFleetOptions {
  /** MQTT port. */
  readonly port: number
  /** Ids are `{name}-{n}`. */
  readonly name: string
  readonly devices: number
  /** Total of all devices. */
  readonly eventsPerSecond: number
}

interface Device {
  readonly deviceId: string
  readonly load: MqttLoad
}

/** MqttLoad numbers its messages from 1. */
const MAX_PACKET_ID = 65_535

/**
 * Devices that publish with QoS 1 at a steady pace, each on its own connection, and know no device ack: an event is
 * acked at its PUBACK. None resends, so a connection that ends leaves events without one.
 */
export class PlainFleet {
  readonly #options: PlainFleetOptions
  readonly #devices: Device[] = []
  readonly #pace: Pace
  /** When each event without a PUBACK was sent, by device and packet identifier. */
  readonly #sentMs = new Map<string, number>()
  #latenciesMs: number[] = []
  #sent = 0
  #acked = 0

  constructor(options: PlainFleetOptions) {
    this.#options = options
    this.#pace = new Pace(options.eventsPerSecond, () => this.#send())
  }

  get name(): string {
    return this.#options.name
  }

  get sent(): number {
    return this.#sent
  }

  get acked(): number {
    return this.#acked
  }

  /** Connects and starts to send. */
  async start(): Promise<void> {
    const { port, name, devices } = this.#options
    for (let n = 0; n < devices; n++) {
      const deviceId = `${name}-${n}`
      const onPuback = (packetId: number) => this.#heard(deviceId, packetId)
      const load = await MqttLoad.connect({ port, clientId: deviceId, onPuback, onLost: () => {} })
      this.#devices.push({ deviceId, load })
    }
    this.resume()
  }

  /** Resumes sending after `pause`. */
  resume(): void {
    this.#pace.start()
  }

  /** Sends nothing new. */
  pause(): void {
    this.#pace.stop()
  }

  /** Times from sending to PUBACK, of the events acked since the last call. */
  takeLatencies(): readonly number[] {
    const latencies = this.#latenciesMs
    this.#latenciesMs = []
    return latencies
  }

  close(): void {
    this.pause()
    for (const { load } of this.#devices) load.close()
  }

  /** One event from the device whose turn it is. */
  #send(): void {
    const { devices } = this.#options
    const { deviceId, load } = this.#devices[this.#sent % devices] as Device
    const round = Math.floor(this.#sent / devices)
    this.#sent++
    this.#sentMs.set(`${deviceId}/${(round % MAX_PACKET_ID) + 1}`, performance.now())
    load.publish(`qs/v1/${deviceId}/events`, goodItem(deviceId, round).payload)
    load.flush()
  }

  #heard(deviceId: string, packetId: number): void {
    const key = `${deviceId}/${packetId}`
    this.#latenciesMs.push(performance.now() - (this.#sentMs.get(key) ?? Number.NaN))
    this.#sentMs.delete(key)
    this.#acked++
  }
}
