import { jsonContent, readEventId, splitArray } from '@qs-telemetry/protocol'

const OPEN_ARRAY = 0x5b

/**
 * The event ids that the device ack of a payload will carry, element by element: null where there is none to read.
 * Reads what the ingester reads, in payloads too that are not JSON. Never throws.
 */
export function expectedIds(payload: Uint8Array): readonly (string | null)[] {
  const content = jsonContent(payload)
  if (content[0] !== OPEN_ARRAY) return [idOf(content)]
  const { elements, sure } = splitArray(content, Number.POSITIVE_INFINITY)
  return elements.length === 0 ? [null] : elements.map((element, index) => idOf(element, index < sure))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param isSure it begins where an element of the array begins; the ingester names nothing behind a guess that it cannot read */
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
