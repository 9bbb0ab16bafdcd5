import { isUtf8 } from 'node:buffer'
import { elementBytes, jsonContent, readEventId } from '@qs-telemetry/protocol'
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
 * ones, any other is rejected under the event id that can be read in it.
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
  const elements = elementBytes(content, maxElements + 1)
  if (elements.length > maxElements) return tooManyEvents(`more than ${maxElements}`, elements.map(idOf))
  if (elements.length > 0) return refusedWhole(elements.map((bytes) => decodeBytes(bytes, decode)))
  return content.length > 1 ? rejection('EMPTY_ARRAY', '') : unreadable(content)
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
    ? rejection('MESSAGE_TOO_LARGE', detail, { names: elementBytes(content, maxElements).map(idOf) })
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

function idOf(bytes: Buffer): string | null {
  return echoed(readEventId(bytes))
}
