/** Whether PostgreSQL can store a text unchanged: no U+0000 (22021), no lone surrogate (silently U+FFFD). */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether a text is longer than `maxBytes` in UTF-8, usually without counting bytes. */
export function isLonger(text: string, maxBytes: number): boolean {
  return text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)
}

/** A longer id is not repeated in the device ack: it may be as large as the message. */
const MAX_ECHOED_BYTES = 1024

/** The event id that a device ack repeats; null if there is none or if it cannot be repeated. */
export function echoed(eventId: unknown): string | null {
  return typeof eventId === 'string' && !isLonger(eventId, MAX_ECHOED_BYTES) && isStorable(eventId)
    ? eventId
    : null
}
