import { parseExact } from '../decode/exact-numbers.ts'
import { scanJson } from '../decode/scan-json.ts'
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

function recordOf({ number, bytes, text }: Line): SourceRecord {
  if (text === null) return faulty(number, bytes, ...NOT_UTF8)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return faulty(number, bytes, 'NOT_JSON', `It is not JSON: ${reasonOf(error)}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return faulty(number, bytes, 'NOT_AN_OBJECT', 'It is not a JSON object')
  const columns = parsed as Columns
  const exact = scanJson(bytes).mayLoseDigits ? (parseExact(text) as Columns) : columns
  return { line: number, raw: bytes, fault: null, columns, exact }
}
