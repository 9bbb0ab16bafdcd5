import { isUtf8 } from 'node:buffer'
import { jsonContent, readEventId, splitArray } from '@qs-telemetry/protocol'
import type { Element, Rejection } from '../pipeline/message.ts'
import { rejection } from '../pipeline/rejection.ts'
import { echoed } from './echoed.ts'
import { jsonFault } from './json-fault.ts'
import { refusedWhole } from './refused-whole.ts'

const OPEN_ARRAY = 0x5b

/** Decodes an element, or a message that is one, from its JSON. */
export type DecodeJson = (parsed: unknown, text: string, bytes: Buffer) => Element | readonly Element[]

/**
 * Reads a payload that is not JSON, or not UTF-8. What surrounds the JSON costs nothing: a byte order mark, NULs at
 * the end. In an array each element stands for itself: one that is JSON becomes what it would have been among good
 * ones, any other is rejected under the event id that can be read in it. Behind a fault in quotes or brackets it is
 * not sure what is an element of its own: what is refused there is named by no id, since a device forgets the event
 * that a rejection names.
 *
 * Only payloads that JSON.parse refuses come here. Takes linear time: tens of milliseconds for 256 KiB at worst, as
 * the fuzz of salvage.test.ts asserts.
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

/** An array of which nothing is stored, since it has too many elements. */
export function tooManyEvents(count: string, ids: readonly (string | null)[]): Rejection {
  return rejection('TOO_MANY_EVENTS', `The array holds ${count}`, { names: ids })
}

/** A payload of which nothing is stored; the ids are read in as many of its bytes as a message may have. */
export function tooLarge(payload: Buffer, maxBytes: number, maxElements: number): Rejection {
  const detail = `It is ${payload.length} bytes`
  const content = jsonContent(payload.subarray(0, maxBytes))
  return content[0] === OPEN_ARRAY
    ? rejection('MESSAGE_TOO_LARGE', detail, { names: sureIds(content, maxElements) })
    : rejection('MESSAGE_TOO_LARGE', detail, { eventId: idOf(content) })
}

/** A payload that is refused as it is: it is not UTF-8, or not JSON. */
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
