import { isLonger, isStorable } from './text.ts'

/** A longer id is not repeated in the device ack: it may be as large as the message. */
const MAX_ECHOED_BYTES = 1024

/** The event id that a device ack repeats; null if there is none or if it cannot be repeated. */
export function echoed(eventId: unknown): string | null {
  return typeof eventId === 'string' && !isLonger(eventId, MAX_ECHOED_BYTES) && isStorable(eventId)
    ? eventId
    : null
}
