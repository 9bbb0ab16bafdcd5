/** What the device ack of a raw payload will name. */
export interface RawExpectation {
  readonly eventIds: readonly (string | null)[]
  readonly readable: boolean
}

const UNREADABLE: RawExpectation = { eventIds: [null], readable: false }

/**
 * Reads from a payload which ids its device ack will carry. Never throws: a payload that is not JSON is what
 * raw publishing is for, and it is answered by one device ack whose `event_id` is null.
 */
export function expectedOf(payload: Uint8Array): RawExpectation {
  let parsed: unknown
  try {
    // [RFC 8259, 8.1]; without `fatal` broken UTF-8 would pass as U+FFFD, which the ingester refuses.
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload))
  } catch {
    return UNREADABLE
  }
  if (Array.isArray(parsed)) {
    return parsed.length === 0 ? UNREADABLE : { eventIds: parsed.map(eventIdOf), readable: true }
  }
  if (typeof parsed !== 'object' || parsed === null) return UNREADABLE
  return { eventIds: [eventIdOf(parsed)], readable: true }
}

function eventIdOf(element: unknown): string | null {
  if (typeof element !== 'object' || element === null) return null
  const { event_id: id } = element as { readonly event_id?: unknown }
  return typeof id === 'string' ? id : null
}
