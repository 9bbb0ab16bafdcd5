import {
  APOSTROPHE,
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COMMA,
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

/**
 * The bytes of each element of an array, without the white space around them. A dead letter keeps these bytes: parsing
 * and serializing would change digits, escapes and repeated keys.
 *
 * The array need not be JSON. An invalid element (NaN, a missing or extra quote or bracket, the end of a truncated
 * message) still ends where its neighbours begin, so it costs no other element. Extra commas are ignored. For valid
 * JSON the result is exactly its elements.
 *
 * Never throws, and takes linear time: a quote begins a string at most once, each search for the next element starts
 * where the previous one ended, and only a few elements may be read to the end of the array in vain.
 *
 * @param array begins with `[`, after any byte order mark and white space
 * @param maxElements ends the search
 */
export function elementBytes<Bytes extends Uint8Array>(
  array: Bytes,
  maxElements = Number.POSITIVE_INFINITY,
): readonly Bytes[] {
  return splitArray(array, maxElements).elements
}

export interface SplitArray<Bytes> {
  readonly elements: readonly Bytes[]
  /**
   * How many of them certainly begin where an element of the array begins. Later ones follow a fault in quotes or
   * brackets: each may be an object inside the faulty element, and its `event_id` that of another event.
   */
  readonly sure: number
}

/** The same elements as `elementBytes`, and how many of them have a certain beginning. */
export function splitArray<Bytes extends Uint8Array>(array: Bytes, maxElements: number): SplitArray<Bytes> {
  const bytes = jsonContent(array)
  const elements: Bytes[] = []
  let sure: number | null = null
  const isWhole = bytes.at(-1) === CLOSE_ARRAY
  let readInVain = 0
  for (let at = 1; at < bytes.length && elements.length < maxElements; ) {
    let found = readInVain < MAX_READ_IN_VAIN ? findEnd(bytes, at) : findNextObject(bytes, at)
    // A truncated message ends like this. In a complete one, an unmatched bracket has taken what follows.
    if (found.isOpen === true && isWhole) {
      readInVain++
      found = findNextObject(bytes, at)
    }
    const { end, next } = found
    const element = trim(bytes, at, end)
    if (element.length > 0) elements.push(element)
    if (found.isGuess === true) sure ??= elements.length
    at = next
  }
  return { elements, sure: sure ?? elements.length }
}

const MAX_READ_IN_VAIN = 16

interface ElementEnd {
  readonly end: number
  /** Where the next element begins. */
  readonly next: number
  /** The bytes ended before the array did. */
  readonly isOpen?: boolean
  /** `next` may be inside this element. */
  readonly isGuess?: boolean
}

/** @param start of the element */
function findEnd(bytes: Uint8Array, start: number): ElementEnd {
  const last = bytes.length - 1
  const open: number[] = []
  let previous = 0
  let comma = start
  for (let at = start; at <= last; at++) {
    const byte = bytes[at] as number
    if (isSpace(byte)) continue
    if (byte === QUOTE || (byte === APOSTROPHE && mayStartText(previous))) {
      const close = endOfText(bytes, at, bytes.length)
      if (close === -1 || !isFollowedBySeparator(bytes, close, bytes.length)) return findNextObject(bytes, at)
      at = close
    } else if (byte === BACKSLASH) {
      // As in a string, so that all readers agree on which quotes are escaped.
      at++
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      // A comma is missing between two elements.
      if (byte === OPEN_OBJECT && open.length === 0 && previous !== 0)
        return { end: at, next: at, isGuess: true }
      // An object cannot be a key: the closing bracket of the previous object is missing.
      if (byte === OPEN_OBJECT && previous === COMMA && open.at(-1) === OPEN_OBJECT)
        return { end: comma, next: at, isGuess: true }
      open.push(byte)
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      const opened = open.pop()
      const isMatch = byte === CLOSE_ARRAY ? opened === OPEN_ARRAY : opened === OPEN_OBJECT
      if (!isMatch && byte === CLOSE_ARRAY && at === last) return { end: at, next: bytes.length }
      if (!isMatch && opened !== undefined) return findNextObject(bytes, at)
    } else if (byte === COMMA) {
      if (open.length === 0) return { end: at, next: at + 1 }
      comma = at
    }
    previous = byte
  }
  return { end: bytes.length, next: bytes.length, isOpen: true }
}

/** After a fault, brackets and quotes mean nothing: an element ends where an object ends and another begins. */
function findNextObject(bytes: Uint8Array, from: number): ElementEnd {
  for (let at = from; at < bytes.length; at++) {
    if (bytes[at] !== CLOSE_OBJECT) continue
    const comma = skipSpace(bytes, at + 1, bytes.length)
    if (bytes[comma] !== COMMA) continue
    if (bytes[skipSpace(bytes, comma + 1, bytes.length)] === OPEN_OBJECT)
      return { end: at + 1, next: comma + 1, isGuess: true }
  }
  return { end: bytes.length, next: bytes.length }
}

function trim<Bytes extends Uint8Array>(bytes: Bytes, from: number, to: number): Bytes {
  const start = skipSpace(bytes, from, to)
  let end = to
  while (end > start && isSpace(bytes[end - 1])) end--
  return bytes.subarray(start, end) as Bytes
}
