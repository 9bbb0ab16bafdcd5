/** The result of one pass over the bytes of a JSON text. */
export interface JsonScan {
  /** Keys in the text, repeated ones included. May be too high: a string such as `":"` looks like a key. */
  readonly keys: number
  /** A number may have more digits than a double: sixteen in a row, or an exponent of three. */
  readonly mayLoseDigits: boolean
}

const [DOT, ZERO, NINE, PLUS, MINUS, SMALL_E] = [0x2e, 0x30, 0x39, 0x2b, 0x2d, 0x65]
const COLON = 0x3a
const SUSPICIOUS_LENGTH = 16
const EXPONENT_LENGTH = 3
const BEFORE_NUMBER: ReadonlySet<number> = new Set(Buffer.from(':,[ \t\n\r'))

const [OTHER, DIGIT, END_OF_KEY, KEY_COLON] = [0, 1, 2, 3]
const CLASS_OF = new Uint8Array(256).fill(OTHER)
CLASS_OF[DOT] = DIGIT
CLASS_OF.fill(DIGIT, ZERO, NINE + 1)
for (const byte of Buffer.from('" \t\n\r')) CLASS_OF[byte] = END_OF_KEY
CLASS_OF[COLON] = KEY_COLON

/**
 * Searches every message for what JSON.parse loses silently: digits, and repeated keys. It checks every second byte,
 * because neither the end of a key with its colon nor three digits fit between two of them. This takes 270 ns for an
 * event of 220 bytes, of 5 µs for all of decode; a regular expression takes ten times as long.
 *
 * Both results err on the safe side: they may be false alarms, as for digits after a comma in a string.
 *
 * @param json UTF-8 of a valid JSON text
 */
export function scanJson(json: Uint8Array): JsonScan {
  let keys = 0
  let mayLoseDigits = false
  for (let at = 1; at < json.length; at += 2) {
    const kind = CLASS_OF[json[at] as number]
    if (kind === OTHER) continue
    if (kind === DIGIT) {
      const start = isDigit(json[at - 1]) ? at - 1 : at
      while (isDigit(json[at])) at++
      mayLoseDigits ||= isSuspicious(json, start, at)
      // The next byte to check is the one after the digits.
      at -= 2
    } else if (kind === END_OF_KEY) {
      if (json[at + 1] === COLON) keys++
    } else if (CLASS_OF[json[at - 1] as number] === END_OF_KEY) keys++
  }
  return { keys, mayLoseDigits }
}

/** @param end the offset after the last of the digits that begin at `start` */
function isSuspicious(json: Uint8Array, start: number, end: number): boolean {
  if (end - start >= SUSPICIOUS_LENGTH && isNumber(json, start)) return true
  return end - start >= EXPONENT_LENGTH && isExponent(json, start)
}

function isExponent(json: Uint8Array, start: number): boolean {
  const sign = json[start - 1]
  const e = sign === PLUS || sign === MINUS ? start - 2 : start - 1
  if (((json[e] ?? 0) | 0x20) !== SMALL_E || !isDigit(json[e - 1])) return false
  return isNumber(json, startOfDigits(json, e - 1))
}

function startOfDigits(json: Uint8Array, at: number): number {
  let start = at
  while (isDigit(json[start - 1])) start--
  return start
}

/** Whether digits are a number and not part of a string such as a UUID: numbers follow BEFORE_NUMBER, or nothing. */
function isNumber(json: Uint8Array, start: number): boolean {
  const before = json[json[start - 1] === MINUS ? start - 2 : start - 1]
  return before === undefined || BEFORE_NUMBER.has(before)
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && CLASS_OF[byte] === DIGIT
}
