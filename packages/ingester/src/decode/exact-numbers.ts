import { randomUUID } from 'node:crypto'

/*
 * JSON.parse makes every number a double: 12345678901234567890 comes out as 12345678901234567000 and 1e400 as
 * Infinity, which JSON.stringify then writes as null. JSONB keeps all digits, so meta must too.
 *
 * Numbers of up to 15 digits survive a double. Where a text holds a longer one, its numbers are put in quotes
 * behind a mark that no text of a device can hold, parsed, and taken out of the quotes again when meta is
 * written. All other texts, nearly all, never come here.
 */

const MARK = `\u0000${randomUUID()}:`
const QUOTED_MARK = JSON.stringify(MARK).slice(0, -1)
const QUOTED_NUMBER = new RegExp(`${QUOTED_MARK.replaceAll('\\', '\\\\')}([^"]*)"`, 'g')

const SUSPICIOUS_LENGTH = 16
const BEFORE_NUMBER: ReadonlySet<number> = new Set(Buffer.from(':,[ \t\n\r'))
/** As long as a suspicious exponent. */
const STRIDE = 3
const [DOT, ZERO, NINE, PLUS, MINUS, SMALL_E] = [0x2e, 0x30, 0x39, 0x2b, 0x2d, 0x65]

/**
 * Whether a JSON text may hold a number that a double would change: sixteen digits and dots in a row, or an exponent
 * of three digits. Digits behind a comma in a text are a false alarm. Every message is looked through, in bytes: a
 * regular expression takes ten times as long. Three in a row cannot hide between every third byte, so only those are
 * looked at.
 *
 * @param json UTF-8 of a valid JSON text
 */
export function mayLoseDigits(json: Uint8Array): boolean {
  for (let at = STRIDE - 1; at < json.length; at += STRIDE) {
    if (!isDigitOrDot(json[at])) continue
    const start = startOfDigits(json, at)
    while (isDigitOrDot(json[at])) at++
    if (at - start >= SUSPICIOUS_LENGTH && isNumber(json, start)) return true
    if (at - start >= STRIDE && isExponent(json, start)) return true
  }
  return false
}

function startOfDigits(json: Uint8Array, at: number): number {
  let start = at
  while (isDigitOrDot(json[start - 1])) start--
  return start
}

function isExponent(json: Uint8Array, start: number): boolean {
  const sign = json[start - 1]
  const e = sign === PLUS || sign === MINUS ? start - 2 : start - 1
  if (((json[e] ?? 0) | 0x20) !== SMALL_E || !isDigitOrDot(json[e - 1])) return false
  return isNumber(json, startOfDigits(json, e - 1))
}

/** And not the digits of a text, such as those of a UUID: a number stands behind one of these, or at the beginning. */
function isNumber(json: Uint8Array, start: number): boolean {
  const before = json[json[start - 1] === MINUS ? start - 2 : start - 1]
  return before === undefined || BEFORE_NUMBER.has(before)
}

function isDigitOrDot(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= ZERO && byte <= NINE) || byte === DOT)
}

/** JSON.parse, but every number as a marked text. `json` must be valid JSON. */
export function parseExact(json: string): unknown {
  return JSON.parse(
    json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (token) =>
      token.startsWith('"') ? token : `${QUOTED_MARK}${token}"`,
    ),
  )
}

/** The digits behind the mark, or null where the text is one of the device. */
export function exactDigits(text: string): string | null {
  return text.startsWith(MARK) ? text.slice(MARK.length) : null
}

/** Whether the range of a double holds the number: neither too large nor, not being zero, too small. */
export function inDoubleRange(digits: string): boolean {
  const number = Number(digits)
  return Number.isFinite(number) && (number !== 0 || !/^[^eE]*[1-9]/.test(digits))
}

/** JSON.stringify, with marked numbers as they came. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value).replaceAll(QUOTED_NUMBER, '$1')
}
