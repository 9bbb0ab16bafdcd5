import { isUtf8 } from 'node:buffer'
import { jsonContent, readEventId, splitArray } from '@qs-telemetry/protocol'
import type { Element, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { jsonFault } from './json-fault.ts'
import { echoed } from './text.ts'

const OPEN_ARRAY = 0x5b

/** Decodes an element, or a message with a single one, from its JSON. */
export type DecodeJson = (parsed: unknown, text: string, bytes: Buffer) => Element | readonly Element[]

/**
 * Reads a payload that is not JSON, or not UTF-8. Bytes around the JSON do no harm: a byte order mark, NULs at the end.
 * In an array each element is independent: one that is JSON is decoded as usual, any other is rejected under the event
 * id that is readable in it. After a fault in quotes or brackets the element boundaries are uncertain: rejections there
 * carry no id, since a device forgets the event that a rejection names.
 *
 * Called only for payloads that JSON.parse refuses. Takes linear time: tens of milliseconds for 256 KiB at worst, as
 * the fuzz in salvage.test.ts asserts.
 */
export function salvage(
  payload: Buffer,
  maxElements: number,
  decode: DecodeJson,
): Element | readonly Element[] {
  const content = jsonContent(payload)
  if (content[0] !== OPEN_ARRAY) return decodeBytes(content, decode)
  const { elements, sure } = splitArray(content, maxElements + 1)
  if (elements.length > maxElements)
    return tooManyEvents(`more than ${maxElements}`, elements.slice(0, sure).map(idOf))
  if (elements.length > 0)
    return refusedWhole(
      elements.map((bytes, index) => {
        const element = decodeBytes(bytes, decode)
        return index < sure ? element : unnamed(element)
      }),
    )
  return content.length > 1 ? rejection('EMPTY_ARRAY', '') : unreadable(content)
}

function unnamed(element: Element): Element {
  return element.kind === 'rejection' ? { ...element, eventId: null } : element
}

/** Rejects an array with too many elements as a whole. */
export function tooManyEvents(count: string, ids: readonly (string | null)[]): Rejection {
  return rejection('TOO_MANY_EVENTS', `The array has ${count} elements`, { names: ids })
}

/** Rejects a payload that is too large; ids are read from the first `maxBytes` bytes only. */
export function tooLarge(payload: Buffer, maxBytes: number, maxElements: number): Rejection {
  const detail = `The message has ${payload.length} bytes`
  const content = jsonContent(payload.subarray(0, maxBytes))
  return content[0] === OPEN_ARRAY
    ? rejection('MESSAGE_TOO_LARGE', detail, { names: sureIds(content, maxElements) })
    : rejection('MESSAGE_TOO_LARGE', detail, { eventId: idOf(content) })
}

/**
 * Rejects an array without events and ids as a whole: one dead letter and one device ack say as much as a thousand.
 * Without this, 2 KB of zeros cost 180 KB of device acks, and 0.6 MB/s of them delayed the device acks of all other
 * devices by 8 s.
 */
export function refusedWhole(elements: readonly Element[]): Element | readonly Element[] {
  const [first] = elements
  if (first?.kind !== 'rejection' || elements.length === 1) return elements
  if (elements.some(({ kind, eventId }) => kind === 'event' || eventId !== null)) return elements
  const message = `All ${elements.length} elements of the array are rejected, the first one because: ${first.message}`
  return { ...first, message, elements: elements.length }
}

/** Rejects a payload that is not UTF-8, or not JSON, without salvaging. */
export function unreadable(payload: Buffer): Rejection {
  return decodeBytes(payload, () => rejection('INVALID_JSON', '')) as Rejection
}

function decodeBytes(bytes: Buffer, decode: DecodeJson): Element {
  if (!isUtf8(bytes)) return rejection('INVALID_UTF8', '', { eventId: idOf(bytes) })
  const text = bytes.toString()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return notJson(bytes, text, error as SyntaxError)
  }
  if (Array.isArray(parsed)) return rejection('NOT_AN_EVENT', 'It is an array')
  return decode(parsed, text, bytes) as Element
}

function notJson(bytes: Buffer, text: string, error: SyntaxError): Rejection {
  return rejection('INVALID_JSON', jsonFault(text, error.message), {
    eventId: idOf(bytes),
    trace: `decode: JSON.parse: ${error}`,
  })
}

function sureIds(array: Buffer, maxElements: number): readonly (string | null)[] {
  const { elements, sure } = splitArray(array, maxElements)
  return elements.slice(0, sure).map(idOf)
}

function idOf(bytes: Buffer): string | null {
  return echoed(readEventId(bytes))
}
