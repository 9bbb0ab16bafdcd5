import { CONTRACT_VERSION, type Limits, type WireEvent } from '@qs-telemetry/protocol'
import { DeviceError } from './errors.ts'

/** An event as a caller hands it over. `schema` and `device_id` are filled in, `event_id` where it is absent. */
export type OutgoingEvent = Omit<WireEvent, 'schema' | 'device_id' | 'event_id'> &
  Partial<Pick<WireEvent, 'schema' | 'device_id' | 'event_id'>>

export interface CompletedEvent {
  readonly eventId: string
  /** Serialized once: a redelivery is the same text, so it can never become a conflict. */
  readonly json: string
  /** Bytes of UTF-8. */
  readonly bytes: number
}

export interface CompletionContext {
  readonly deviceId: string
  readonly nextEventId: () => string
  readonly limits: Limits
}

/**
 * Completes and serializes an event. Checks only what JSON would silently change or what would stop the other
 * events of a message; the rest is for the ingester to judge, whose limits are the ones that count.
 *
 * @throws DeviceError `EVENT_INVALID` or `EVENT_TOO_LARGE`.
 */
export function completeEvent(event: OutgoingEvent, context: CompletionContext): CompletedEvent {
  const { deviceId, limits } = context
  if (event.device_id !== undefined && event.device_id !== deviceId) {
    throw invalid(`device_id is "${event.device_id}", but this client publishes as "${deviceId}"`)
  }
  // JSON.stringify makes NaN and Infinity null: the event would be stored without its value.
  if (typeof event.value === 'number' && !Number.isFinite(event.value)) {
    throw invalid(`value is ${event.value}; send a finite number, or leave it out`)
  }
  const eventId = event.event_id ?? context.nextEventId()
  if (eventId.length === 0 || Buffer.byteLength(eventId) > limits.idBytes) {
    throw invalid(`event_id must have 1 to ${limits.idBytes} bytes; it is "${eventId}"`)
  }
  const json = serialize({ ...event, schema: CONTRACT_VERSION, event_id: eventId, device_id: deviceId })
  const bytes = Buffer.byteLength(json)
  if (bytes > limits.messageBytes) {
    throw new DeviceError(
      'EVENT_TOO_LARGE',
      `Event "${eventId}" has ${bytes} bytes; a message may have ${limits.messageBytes}`,
    )
  }
  return { eventId, json, bytes }
}

function serialize(event: WireEvent): string {
  try {
    return JSON.stringify(event)
  } catch (cause) {
    throw new DeviceError('EVENT_INVALID', 'The event cannot be written as JSON', { cause })
  }
}

function invalid(message: string): DeviceError {
  return new DeviceError('EVENT_INVALID', message)
}
