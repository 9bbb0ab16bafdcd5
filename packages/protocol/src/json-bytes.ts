/*
 * The bytes that give JSON its structure. All are ASCII, so a text is read byte by byte, even where it is not valid
 * UTF-8.
 */
export const QUOTE = 0x22
export const APOSTROPHE = 0x27
export const COMMA = 0x2c
export const COLON = 0x3a
export const BACKSLASH = 0x5c
export const OPEN_ARRAY = 0x5b
export const CLOSE_ARRAY = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d

/** White space of JSON [RFC 8259, 2]. */
export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/** The first position from `at` on that is not white space, or `end`. */
export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  let next = at
  while (next < end && isSpace(bytes[next])) next++
  return next
}

/** Position of the closing quote of the string that begins at `at`; -1 if the bytes end first. */
export function endOfText(bytes: Uint8Array, at: number, end: number): number {
  const quote = bytes[at]
  for (let next = at + 1; next < end; next++) {
    if (bytes[next] === BACKSLASH) next++
    else if (bytes[next] === quote) return next
  }
  return -1
}

/** Whether a string can end at `close`; if not, a quote is missing or extra. */
export function isFollowedBySeparator(bytes: Uint8Array, close: number, end: number): boolean {
  const next = skipSpace(bytes, close + 1, end)
  return next === end || SEPARATORS.has(bytes[next] as number)
}

const SEPARATORS: ReadonlySet<number> = new Set([COMMA, COLON, CLOSE_OBJECT, CLOSE_ARRAY])

/** Whether a string in single quotes can begin after this byte; elsewhere it is an apostrophe. */
export function mayStartText(previous: number): boolean {
  return previous === OPEN_OBJECT || previous === OPEN_ARRAY || previous === COMMA || previous === COLON
}

/**
 * A payload without a leading byte order mark [RFC 8259, 8.1], surrounding white space, and the trailing NULs that a
 * C program sends with its buffer.
 */
export function jsonContent<Bytes extends Uint8Array>(payload: Bytes): Bytes {
  const hasMark = payload[0] === 0xef && payload[1] === 0xbb && payload[2] === 0xbf
  let end = payload.length
  while (end > 0 && (payload[end - 1] === 0 || isSpace(payload[end - 1]))) end--
  const start = skipSpace(payload, hasMark ? 3 : 0, end)
  return payload.subarray(start, Math.max(start, end)) as Bytes
}
