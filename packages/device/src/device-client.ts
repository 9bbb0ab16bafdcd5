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
  /** Events of one array at most; 1 sends objects, one by one. Default 100. */
  readonly batchEvents?: number
  /** Messages without device ack on the wire at most. Default 32. */
  readonly maxInFlightMessages?: number
  /** Events without device ack at most, sent or not: the bound of this client's memory. Default 10,000. */
  readonly maxWaitingEvents?: number
  /** First wait for a device ack in milliseconds, doubled with each attempt up to eight times. Default 10,000. */
  readonly resendAfterMs?: number
  /** As the ingester has them. */
  readonly limits?: Limits
  /** Keeps events without device ack in a file over a restart. Raw payloads are not kept. */
  readonly journal?: JournalOptions
  readonly onWarning?: WarningListener
}

/**
 * A device: keeps every event until its device ack, however often broker, ingester or database go away.
 *
 * `open` connects in the background, and `send` works from then on, connected or not. An event goes out again when
 * its device ack is overdue and after each reconnect; sending twice is harmless, since its id makes it the same event.
 */
export class DeviceClient {
  readonly deviceId: string
  readonly #link: Link
  readonly #session: DeviceSession

  /** @throws DeviceError `EVENT_INVALID` when the device id cannot be a level of a topic. */
  constructor(options: DeviceClientOptions) {
    const { deviceId, onWarning = () => {} } = options
    if (!isDeviceId(deviceId)) {
      throw new DeviceError(
        'EVENT_INVALID',
        `"${deviceId}" is no device id: it may not hold / + # or control characters`,
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
   * Resolves when the broker has let this client in. Not needed before `send`; it is for those who want to fail early.
   *
   * @throws DeviceError `CONNECTION` after `timeoutMs`, or at once when the broker refuses.
   */
  connected({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#link.whenReady(timeoutMs)
  }

  /**
   * Takes an event on and resolves with its device ack, whatever its status. Need not be awaited.
   *
   * @throws DeviceError `QUEUE_FULL`, `EVENT_INVALID`, `EVENT_TOO_LARGE` or `EVENT_ID_IN_USE` when it is not taken on;
   *   `CLOSED` when the client was closed first; the error of the file system when the journal cannot be written.
   */
  send(event: OutgoingEvent): Promise<DeviceAck> {
    return this.#session.send(event)
  }

  /**
   * The same for an event that is JSON text already. `schema`, `event_id` and `device_id` are filled in; all else goes out as it is,
   * also what JSON.parse would change: digits that no double holds, keys that come twice.
   *
   * @throws DeviceError as `send`, and `EVENT_INVALID` where it is no JSON object
   */
  sendText(json: string): Promise<DeviceAck> {
    return this.#session.sendText(json)
  }

  /**
   * Publishes bytes as they are, broken ones too, as one message, and resolves with its device acks in order. A message
   * that could not be read has one, whose `event_id` is null.
   *
   * @throws DeviceError `QUEUE_FULL` or `CLOSED`.
   */
  sendRaw(payload: string | Uint8Array): Promise<readonly DeviceAck[]> {
    return this.#session.sendRaw(payload)
  }

  /** Resolves when `send` will not say `QUEUE_FULL`: the backpressure for one producer. */
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
   * Waits for open device acks for at most `timeoutMs` (default 5,000), then ends the connection.
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
