import { type BrokerOptions, DeviceClient } from '@qs-telemetry/device'
import type { DeviceAck } from '@qs-telemetry/protocol'
import type { SentEvent } from './verification.ts'

export interface ProofDevicesOptions extends BrokerOptions {
  readonly deviceIds: readonly string[]
  readonly eventsTopic: string
  readonly ackTemplate: string
  readonly onAck: (deviceAck: DeviceAck) => void
}

/** Of all devices together: enough to always have events in flight, few enough for a small machine. */
const EVENTS_PER_SECOND = 200
const TICK_MS = 20
const CONNECT_TIMEOUT_MS = 5_000

/** Devices that send at a steady pace and keep each event until its device ack. */
export class ProofDevices {
  readonly sent: SentEvent[] = []
  readonly #clients: readonly DeviceClient[]
  readonly #onAck: (deviceAck: DeviceAck) => void
  #timer: NodeJS.Timeout | undefined
  #acked = 0
  #refusal: Error | null = null

  constructor({ deviceIds, onAck, ...options }: ProofDevicesOptions) {
    this.#onAck = onAck
    this.#clients = deviceIds.map(
      (deviceId) =>
        new DeviceClient({
          ...options,
          deviceId,
          batchEvents: 4,
          resendAfterMs: 1_000,
          reconnectMs: 200,
          onWarning: (warning) => {
            if (warning.kind === 'refused') this.#refusal ??= warning.error
          },
        }),
    )
  }

  /** The broker's error for the first message that it refused. */
  get refusal(): Error | null {
    return this.#refusal
  }

  get acked(): number {
    return this.#acked
  }

  /** @throws DeviceError if the broker is unreachable or refuses */
  async open(): Promise<void> {
    for (const client of this.#clients) client.open()
    await Promise.all(this.#clients.map((client) => client.connected({ timeoutMs: CONNECT_TIMEOUT_MS })))
  }

  start(): void {
    let owed = 0
    this.#timer = setInterval(() => {
      for (owed += (EVENTS_PER_SECOND * TICK_MS) / 1000; owed >= 1; owed--) this.#send()
    }, TICK_MS)
  }

  /** Stops sending, and settles when every event has its device ack. */
  async finish(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#clients.map((client) => client.flush()))
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#clients.map((client) => client.close({ timeoutMs: 0 })))
  }

  #send(): void {
    const seq = this.sent.length
    const client = this.#clients[seq % this.#clients.length] as DeviceClient
    // Tenths have no exact double, so any rounding is detected.
    const event = {
      event_id: `${client.deviceId}-${seq}`,
      event_type: 'verify',
      value: seq / 10,
      meta: { seq },
    }
    this.sent.push({ eventId: event.event_id, value: event.value, seq })
    client.send(event).then(
      (deviceAck) => {
        this.#acked++
        this.#onAck(deviceAck)
      },
      // Closed before its device ack: the comparison with the database reports it.
      () => {},
    )
  }
}
