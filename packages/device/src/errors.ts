/**
 * Why the device client refuses or gives up: a closed list; none of them means that a device ack was lost. The key is
 * the code, the text says what it means and what to do.
 */
export const DEVICE_ERRORS = {
  QUEUE_FULL:
    'Too many events wait for their device ack. Await ready() before send(), or raise maxWaitingEvents.',
  EVENT_INVALID:
    'The event cannot be written as JSON without changing it, or its id or device id is not valid. Correct it.',
  EVENT_TOO_LARGE: 'The event alone is larger than limits.messageBytes. Send less in it.',
  EVENT_ID_IN_USE:
    'Another event waits under this id, and the ingester would call it a conflict. Give each event its own id.',
  CLOSED:
    'The client was closed before the device ack arrived. With a journal, the event is still in it and is sent after the next start.',
  CONNECTION:
    'No usable connection within the time given. The cause is the error of the broker or the network; try again.',
  CONNECTION_ENDED:
    'The broker ended the connection. The message has its reason, if it gave one; the client connects again.',
  JOURNAL_UNREADABLE: 'The journal is damaged before its last line. Repair or remove the line that is named.',
} as const

/** One of the codes above. */
export type DeviceErrorCode = keyof typeof DEVICE_ERRORS

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
    return this.code === 'QUEUE_FULL' || this.code === 'CONNECTION' || this.code === 'CONNECTION_ENDED'
  }
}
