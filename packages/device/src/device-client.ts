import {
  ackTopic,
  DEFAULT_LIMITS,
  DEFAULT_TOPICS,
  type DeviceAck,
  EventTopic,
  isDeviceId,
  type Limits,
} from '@qs-telemetry/protocol'
import { DeviceSession } from './device-session.ts'
import type { WarningListener } from './device-warning.ts'
import { DeviceError } from './errors.ts'
import type { JournalOptions } from './journal.ts'
import { type BrokerOptions, Link } from './link.ts'
import type { OutgoingEvent } from './outgoing-event.ts'
import type { DeviceCounts } from './tally.ts'

export interface DeviceClientOptions extends BrokerOptions {
  readonly deviceId: string
  /** `+` stands for the device id. Default `qs/v1/+/events`. */
  readonly eventsTopic?: string
  /** Default `qs/v1/{device_id}/acks`. */
  readonly ackTemplate?: string
  /** Maximum events in an array; 1 sends single objects. Default 100. */
  readonly batchEvents?: number
  /** Maximum messages on the wire without device ack. Default 32. */
  readonly maxInFlightMessages?: number
  /** Maximum events without device ack, sent or not: bounds the client's memory. Default 10,000. */
  readonly maxWaitingEvents?: number
  /** First wait for a device ack in milliseconds, doubled with each attempt up to eight times. Default 10,000. */
  readonly resendAfterMs?: number
  /** The limits of the ingester. */
  readonly limits?: Limits
  /** Keeps events without device ack in a file across restarts. Raw payloads are not kept. */
  readonly journal?: JournalOptions
  readonly onWarning?: WarningListener
}

/**
 * A device: keeps every event until its device ack, however often broker, ingester or database fail.
 *
 * `open` connects in the background, and `send` works from then on, connected or not. An event is sent again when
 * its device ack is overdue and after each reconnect; sending twice is harmless, since its id makes it the same event.
 */
export class DeviceClient {
  readonly deviceId: string
  readonly #link: Link
  readonly #session: DeviceSession

  /** @throws DeviceError `EVENT_INVALID` if the device id cannot be a level of a topic. */
  constructor(options: DeviceClientOptions) {
    const { deviceId, onWarning = () => {} } = options
    if (!isDeviceId(deviceId)) {
      throw new DeviceError(
        'EVENT_INVALID',
        `"${deviceId}" is not a valid device id: it must not contain / + # or control characters`,
      )
    }
    this.deviceId = deviceId
    this.#link = new Link(options, [ackTopic(options.ackTemplate ?? DEFAULT_TOPICS.acks, deviceId)], {
      ready: () => this.#session.connectionReady(),
      lost: () => this.#session.connectionLost(),
      message: (_topic, payload) => this.#session.receive(payload),
      problem: (error) => onWarning({ kind: 'connection', error }),
    })
    this.#session = new DeviceSession(
      {
        deviceId,
        topic: new EventTopic(options.eventsTopic ?? DEFAULT_TOPICS.events).topicOf(deviceId),
        batchEvents: options.batchEvents ?? 100,
        maxInFlightMessages: options.maxInFlightMessages ?? 32,
        maxWaitingEvents: options.maxWaitingEvents ?? 10_000,
        resendAfterMs: options.resendAfterMs ?? 10_000,
        limits: options.limits ?? DEFAULT_LIMITS,
        journal: options.journal ?? null,
        onWarning,
      },
      this.#link,
    )
  }

  /**
   * Reads the journal and starts to connect.
   *
   * @throws DeviceError `JOURNAL_UNREADABLE`, or the error of the file system.
   */
  open(): void {
    this.#session.open()
    this.#link.open()
  }

  /**
   * Resolves when the broker has accepted this client. Not needed before `send`; use it to fail early.
   *
   * @throws DeviceError `CONNECTION` after `timeoutMs`, or at once when the broker refuses.
   */
  connected({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#link.whenReady(timeoutMs)
  }

  /**
   * Accepts an event and resolves with its device ack, whatever the status. Need not be awaited.
   *
   * @throws DeviceError `QUEUE_FULL`, `EVENT_INVALID`, `EVENT_TOO_LARGE` or `EVENT_ID_IN_USE` when it is not accepted;
   *   `CLOSED` when the client was closed first; the error of the file system when the journal cannot be written.
   */
  send(event: OutgoingEvent): Promise<DeviceAck> {
    return this.#session.send(event)
  }

  /**
   * Like `send`, for an event that is already JSON text. `schema`, `event_id` and `device_id` are filled in; the rest
   * is sent as it is, even what JSON.parse would change: digits beyond a double, repeated keys.
   *
   * @throws DeviceError as `send`, and `EVENT_INVALID` if it is not a JSON object
   */
  sendText(json: string): Promise<DeviceAck> {
    return this.#session.sendText(json)
  }

  /**
   * Publishes bytes as they are, valid or not, as one message, and resolves with its device acks in order. A message
   * that could not be read has one device ack, whose `event_id` is null.
   *
   * @throws DeviceError `QUEUE_FULL` or `CLOSED`.
   */
  sendRaw(payload: string | Uint8Array): Promise<readonly DeviceAck[]> {
    return this.#session.sendRaw(payload)
  }

  /** Resolves when `send` will not fail with `QUEUE_FULL`: backpressure for one producer. */
  ready(): Promise<void> {
    return this.#session.ready()
  }

  /** Resolves when every event has its device ack, or when the client is closed. */
  flush(): Promise<void> {
    return this.#session.flush()
  }

  counts(): DeviceCounts {
    return this.#session.counts()
  }

  /**
   * Waits for outstanding device acks for at most `timeoutMs` (default 5,000), then ends the connection.
   *
   * @returns how many events are left without device ack; with a journal the next run sends them.
   */
  async close({
    timeoutMs = 5_000,
  }: {
    readonly timeoutMs?: number
  } = {}): Promise<{ readonly waiting: number }> {
    const timer = setTimeout(() => this.#session.close(), timeoutMs)
    if (timeoutMs > 0) await this.flush()
    clearTimeout(timer)
    const waiting = this.#session.close()
    await this.#link.close()
    return { waiting }
  }
}
