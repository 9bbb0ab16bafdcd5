import { randomUUID } from 'node:crypto'

/*
 * JSON.parse turns every number into a double: 12345678901234567890 becomes 12345678901234567000, and 1e400 becomes
 * Infinity, which JSON.stringify then writes as null. JSONB keeps all digits, so meta must too.
 *
 * Numbers of up to 15 digits survive a double. If a message has a longer one, parseExact puts its numbers in quotes
 * after a mark that no device can send, and stringifyExact removes the quotes again. Nearly all messages have none
 * (scan-json.ts) and skip this.
 */

const MARK = `\u0000${randomUUID()}:`
const QUOTED_MARK = JSON.stringify(MARK).slice(0, -1)
const QUOTED_NUMBER = new RegExp(`${QUOTED_MARK.replaceAll('\\', '\\\\')}([^"]*)"`, 'g')

/** Like JSON.parse, but every number becomes a marked string. `json` must be valid JSON. */
export function parseExact(json: string): unknown {
  return JSON.parse(
    json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (token) =>
      token.startsWith('"') ? token : `${QUOTED_MARK}${token}"`,
    ),
  )
}

/** The digits after the mark, or null if the text is a string from the device. */
export function exactDigits(text: string): string | null {
  return text.startsWith(MARK) ? text.slice(MARK.length) : null
}

/** Whether the number is in the range of a double: not too large, and not too small unless it is zero. */
export function inDoubleRange(digits: string): boolean {
  const number = Number(digits)
  return Number.isFinite(number) && (number !== 0 || !/^[^eE]*[1-9]/.test(digits))
}

/** Like JSON.stringify, but writes marked numbers as they were sent. */
export function stringifyExact(value: unknown): string {
  return JSON.stringify(value).replaceAll(QUOTED_NUMBER, '$1')
}
