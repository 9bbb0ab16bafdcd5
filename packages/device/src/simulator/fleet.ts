import { ackTopic, EventTopic, type Limits } from '@qs-telemetry/protocol'
import { DeviceSession } from '../device-session.ts'
import type { WarningListener } from '../device-warning.ts'
import { type BrokerOptions, Link } from '../link.ts'
import { Signal } from '../signal.ts'
import { type DeviceCounts, Tally } from '../tally.ts'

export interface FleetOptions {
  readonly broker: BrokerOptions
  readonly eventsTopic: string
  readonly ackTemplate: string
  readonly limits: Limits
  readonly resendAfterMs: number
  readonly onWarning: WarningListener
}

/**
 * Many devices on one connection: a thousand devices have a thousand outboxes and one socket.
 *
 * Device acks arrive through one wildcard subscription, `qs/v1/+/acks`: one filter to send, to check and to restore
 * after a reconnect. A thousand filters would be a thousand entries in the broker's tree and SUBSCRIBE packets of tens
 * of kilobytes. The price is that device acks of other devices arrive too; they are dropped by topic, unparsed. If a
 * template has `{device_id}` inside a level, no wildcard matches it, and each topic is subscribed.
 */
export class Fleet {
  readonly #link: Link
  readonly #sessions: readonly DeviceSession[]
  readonly #settled = new Signal()
  readonly #tally = new Tally()

  constructor(deviceIds: readonly string[], options: FleetOptions) {
    const byAckTopic = new Map<string, DeviceSession>()
    this.#link = new Link(options.broker, ackFilters(options.ackTemplate, deviceIds), {
      ready: () => {
        for (const session of this.#sessions) session.connectionReady()
      },
      lost: () => {
        for (const session of this.#sessions) session.connectionLost()
      },
      message: (topic, payload) => byAckTopic.get(topic)?.receive(payload),
      problem: (error) => options.onWarning({ kind: 'connection', error }),
    })
    const topic = new EventTopic(options.eventsTopic)
    this.#sessions = deviceIds.map((deviceId) => {
      const session = new DeviceSession(
        {
          ...options,
          deviceId,
          topic: topic.topicOf(deviceId),
          batchEvents: 100,
          maxInFlightMessages: 4,
          // The fleet has its own bound; see waitFor.
          maxWaitingEvents: Number.POSITIVE_INFINITY,
          journal: null,
          tally: this.#tally,
          onSettled: () => this.#settled.notify(),
        },
        this.#link,
      )
      byAckTopic.set(ackTopic(options.ackTemplate, deviceId), session)
      return session
    })
  }

  /** @throws DeviceError `CONNECTION` */
  async connect(timeoutMs: number): Promise<void> {
    this.#link.open()
    await this.#link.whenReady(timeoutMs)
  }

  session(index: number): DeviceSession | undefined {
    return this.#sessions[index]
  }

  /** Counts of all devices together. */
  counts(): DeviceCounts {
    return this.#tally.counts()
  }

  /** Resolves when at most `maxWaiting` events are without device ack, or `signal` is aborted. */
  async waitFor(maxWaiting: number, signal: AbortSignal): Promise<void> {
    const wake = () => this.#settled.notify()
    signal.addEventListener('abort', wake)
    while (!signal.aborted && this.#tally.waiting > maxWaiting) await this.#settled.wait()
    signal.removeEventListener('abort', wake)
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.close()
    await this.#link.close()
  }
}

function ackFilters(template: string, deviceIds: readonly string[]): readonly string[] {
  const levels = template.split('/')
  const isWildcard = levels.every((level) => level === '{device_id}' || !level.includes('{device_id}'))
  if (isWildcard) return [levels.map((level) => (level === '{device_id}' ? '+' : level)).join('/')]
  return deviceIds.map((deviceId) => ackTopic(template, deviceId))
}
