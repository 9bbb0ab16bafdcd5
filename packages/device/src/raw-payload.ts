import { elementBytes, jsonContent, readEventId } from '@qs-telemetry/protocol'

const OPEN_ARRAY = 0x5b

/**
 * The event ids that the device ack of a payload will carry, element by element: null where there is none to read.
 * Reads what the ingester reads, in payloads too that are not JSON. Never throws.
 */
export function expectedIds(payload: Uint8Array): readonly (string | null)[] {
  const content = jsonContent(payload)
  if (content[0] !== OPEN_ARRAY) return [idOf(content)]
  const elements = elementBytes(content)
  return elements.length === 0 ? [null] : elements.map(idOf)
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function idOf(element: Uint8Array): string | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(utf8.decode(element))
  } catch {
    return readEventId(element)
  }
  if (typeof parsed !== 'object' || parsed === null) return null
  const { event_id: id } = parsed as { readonly event_id?: unknown }
  return typeof id === 'string' ? id : null
}
