import { jsonContent, readEventId, splitArray } from '@qs-telemetry/protocol'

const OPEN_ARRAY = 0x5b

/**
 * The event ids in the device ack of a payload, by element: null if none can be read. Reads what the ingester reads,
 * also in payloads that are not JSON. Never throws.
 */
export function expectedIds(payload: Uint8Array): readonly (string | null)[] {
  const content = jsonContent(payload)
  if (content[0] !== OPEN_ARRAY) return [idOf(content)]
  const { elements, sure } = splitArray(content, Number.POSITIVE_INFINITY)
  return elements.length === 0 ? [null] : elements.map((element, index) => idOf(element, index < sure))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param isSure it certainly begins an element of the array; otherwise the ingester names no unreadable element */
function idOf(element: Uint8Array, isSure = true): string | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(utf8.decode(element))
  } catch {
    return isSure ? readEventId(element) : null
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const { event_id: id } = parsed as { readonly event_id?: unknown }
  return typeof id === 'string' ? id : null
}
