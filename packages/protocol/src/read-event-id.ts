import {
  APOSTROPHE,
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  endOfText,
  isFollowedBySeparator,
  isSpace,
  jsonContent,
  mayStartText,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
} from './json-bytes.ts'

const NAME = 'event_id'

/**
 * The `event_id` of an event that is not JSON, so that its device ack can name it; null if none can be read with
 * certainty. Only the key of the event itself counts: an id in `meta` is that of another event, which a device would
 * then forget. Nothing is read after a missing or extra quote.
 */
export function readEventId(event: Uint8Array): string | null {
  const bytes = jsonContent(event)
  if (bytes[0] !== OPEN_OBJECT) return null
  let depth = 0
  let previous = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (isSpace(byte)) continue
    if (byte === QUOTE || (byte === APOSTROPHE && mayStartText(previous))) {
      const close = endOfText(bytes, at, bytes.length)
      if (close === -1 || !isFollowedBySeparator(bytes, close, bytes.length)) return null
      const colon = skipSpace(bytes, close + 1, bytes.length)
      const isKey = bytes[colon] === COLON
      // A key in place of a value: the opening bracket of an object is missing, and its keys seem to be the event's.
      if (isKey && previous === COLON) return null
      if (depth === 1 && isKey && textOf(bytes, at, close) === NAME)
        return readText(bytes, skipSpace(bytes, colon + 1, bytes.length))
      at = close
    } else if (byte === BACKSLASH) at++
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--
    // After its end there may be another event.
    if (depth === 0) return null
    previous = byte
  }
  return null
}

function readText(bytes: Uint8Array, at: number): string | null {
  if (bytes[at] !== QUOTE && bytes[at] !== APOSTROPHE) return null
  const close = endOfText(bytes, at, bytes.length)
  return close !== -1 && isFollowedBySeparator(bytes, close, bytes.length) ? textOf(bytes, at, close) : null
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array, open: number, close: number): string | null {
  try {
    const text = utf8.decode(bytes.subarray(open + 1, close))
    if (!text.includes('\\')) return text
    return bytes[open] === QUOTE ? (JSON.parse(`"${text}"`) as string) : null
  } catch {
    return null
  }
}
