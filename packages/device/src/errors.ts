/**
 * Why the device client refused or gave up. A closed list; none of them means that a device ack was lost.
 *
 * - `QUEUE_FULL`: too many events wait for their device ack. Await `ready()` before `send()`, or raise `maxWaitingEvents`.
 * - `EVENT_INVALID`: the event cannot be written as JSON without changing it, or its id or device id is not valid.
 * - `EVENT_TOO_LARGE`: the event alone is larger than `limits.messageBytes`.
 * - `EVENT_ID_IN_USE`: another event waits under this id; the ingester would call it a conflict.
 * - `CLOSED`: the client was closed before the device ack arrived. With a journal the event is still in it.
 * - `CONNECTION`: no usable connection within the time given; the cause is the error of the broker or the network.
 * - `JOURNAL_UNREADABLE`: the journal is damaged before its last line.
 */
export type DeviceErrorCode =
  | 'QUEUE_FULL'
  | 'EVENT_INVALID'
  | 'EVENT_TOO_LARGE'
  | 'EVENT_ID_IN_USE'
  | 'CLOSED'
  | 'CONNECTION'
  | 'JOURNAL_UNREADABLE'

/** An error of the device client; `code` is for programs, `message` says what to do. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError'
  readonly code: DeviceErrorCode

  constructor(code: DeviceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** Whether the same call can succeed later without a change by the caller. */
  get retryable(): boolean {
    return this.code === 'QUEUE_FULL' || this.code === 'CONNECTION'
  }
}
