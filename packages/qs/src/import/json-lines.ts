import { parseExact } from '../decode/exact-numbers.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { type Line, readLines } from './read-lines.ts'
import { type Columns, faulty, type SourceRecord } from './source-record.ts'

/** JSON lines: one object a line. Empty lines are skipped. */
export async function* readJsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly SourceRecord[]> {
  for await (const lines of readLines(chunks)) yield lines.filter(isFilled).map(recordOf)
}

export function isFilled({ text }: Line): boolean {
  return text === null || text.trim() !== ''
}

export const NOT_UTF8 = ['NOT_UTF8', 'It is not UTF-8; convert the file with iconv'] as const

/** Digits that a double may not have: sixteen in a row, or an exponent of three. */
const LONG_NUMBER = /\d[\d.]{15}|[eE][+-]?\d{3}/

function recordOf(line: Line): SourceRecord {
  const { number, text } = line
  if (text === null) return faulty([line], ...NOT_UTF8)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return faulty([line], 'NOT_JSON', `It is not JSON: ${reasonOf(error)}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return faulty([line], 'NOT_AN_OBJECT', 'It is not a JSON object')
  const columns = parsed as Columns
  const exact = LONG_NUMBER.test(text) ? (parseExact(text) as Columns) : columns
  return { line: number, raw: [line], fault: null, columns, exact }
}
