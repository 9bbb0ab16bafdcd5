import { randomUUID } from 'node:crypto'

/*
 * JSON.parse makes every number a double: 12345678901234567890 comes out as 12345678901234567000 and 1e400 as
 * Infinity, which JSON.stringify then writes as null. JSONB keeps all digits, so meta must too.
 *
 * Numbers of up to 15 digits survive a double. If a text holds a longer one, parseExact puts its numbers in quotes
 * behind a mark that no text of a device can hold, and stringifyExact takes them out of the quotes again. Nearly all
 * messages hold none (scan-json.ts) and never come here.
 */

const MARK = `\u0000${randomUUID()}:`
const QUOTED_MARK = JSON.stringify(MARK).slice(0, -1)
const QUOTED_NUMBER = new RegExp(`${QUOTED_MARK.replaceAll('\\', '\\\\')}([^"]*)"`, 'g')

/** JSON.parse, but every number as a marked text. `json` must be valid JSON. */
export function parseExact(json: string): unknown {
  return JSON.parse(
    json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g, (token) =>
      token.startsWith('"') ? token : `${QUOTED_MARK}${token}"`,
    ),
  )
}

/** The digits behind the mark, or null if the text is a string that the device sent. */
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
