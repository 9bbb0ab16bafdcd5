import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceClient } from '@qs-telemetry/device'
import type { DeviceAck } from '@qs-telemetry/protocol'
import type { SentEvent } from '../verify/verification.ts'

/** What the honest device experienced during an attack. */
export interface Experience {
  readonly sent: number
  /**
   * Slowest time from `send` to the device ack; infinite if one did not come. The longest stall of this process is
   * deducted: it also sends the attacks, and an ack that waits in this process is not the servers' delay.
   */
  readonly slowestMs: number
}

const EVERY_MS = 100
const LOOK_MS = 10
/** How long an event may wait for its ack after an attack before it counts as missing, and after the last attack. */
const [PATIENCE_MS, LAST_PATIENCE_MS] = [15_000, 5_000]

/** A device that sends an event every 100 ms and measures the wait for each device ack. */
export class HonestDevice {
  readonly sent: SentEvent[] = []
  readonly deviceAcks: DeviceAck[] = []
  readonly #client: DeviceClient
  readonly #waitedMs: (number | null)[] = []
  readonly #maxWaitMs: number
  #timer: NodeJS.Timeout | undefined

  /** @param maxWaitMs longest time that a device may wait for the servers */
  constructor(client: DeviceClient, maxWaitMs: number) {
    this.#client = client
    this.#maxWaitMs = maxWaitMs
  }

  get deviceId(): string {
    return this.#client.deviceId
  }

  /** @throws DeviceError if the broker is unreachable or refuses */
  async start(): Promise<void> {
    this.#client.open()
    await this.#client.connected({ timeoutMs: 10_000 })
    this.#timer = setInterval(() => this.#send(), EVERY_MS)
  }

  /** Runs `work`, and waits until every event sent meanwhile has its ack. */
  async during<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly experience: Experience }> {
    const from = this.sent.length
    const stalls = monitorEventLoopDelay({ resolution: LOOK_MS })
    stalls.enable()
    const result = await work()
    // At least one event must be sent during the work.
    while (this.sent.length === from) await delay(EVERY_MS / 4)
    const to = this.sent.length
    const deadline = performance.now() + Math.max(PATIENCE_MS, this.#maxWaitMs)
    while (this.#waitedMs.slice(from, to).includes(null) && performance.now() < deadline) await delay(10)
    stalls.disable()
    const waits = this.#waitedMs.slice(from, to).map((ms) => ms ?? Number.POSITIVE_INFINITY)
    // The measured delay includes the sampling interval.
    const stalledMs = Math.max(0, stalls.max / 1e6 - 2 * LOOK_MS)
    return { result, experience: { sent: to - from, slowestMs: Math.max(0, Math.max(...waits) - stalledMs) } }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#client.close({ timeoutMs: Math.max(LAST_PATIENCE_MS, this.#maxWaitMs) })
  }

  #send(): void {
    const seq = this.sent.length
    const event = {
      event_id: `${this.#client.deviceId}-${seq}`,
      event_type: 'honest',
      value: seq / 10,
      meta: { seq },
    }
    const startMs = performance.now()
    this.sent.push({ eventId: event.event_id, value: event.value, seq })
    this.#waitedMs.push(null)
    this.#client.send(event).then(
      (deviceAck) => {
        this.deviceAcks.push(deviceAck)
        this.#waitedMs[seq] = performance.now() - startMs
      },
      // Closed before its ack: the comparison with the database reports it.
      () => {},
    )
  }
}
