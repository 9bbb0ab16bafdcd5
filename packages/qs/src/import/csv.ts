import { parse } from 'csv-parse/sync'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { isFilled, NOT_UTF8 } from './json-lines.ts'
import { type Line, readLines } from './read-lines.ts'
import { emptyColumns, faulty, rawBytes, type SourceRecord } from './source-record.ts'

export interface CsvOptions {
  /** null: the one of comma, semicolon and tab that the first line has most of. */
  readonly delimiter: string | null
  /** The names of the columns, if the file does not begin with them. */
  readonly header: readonly string[] | null
  /** Called with the line of names as read. */
  readonly onHeader: (line: Buffer) => void
}

/** A quote without its pair would make one record of the rest of the file. */
const MAX_RECORD_LINES = 100

/**
 * The records of a CSV (RFC 4180): a line, or more where a cell in quotes has line ends. Each is parsed by itself, so that a bad one
 * costs no other.
 */
export async function* readCsv(
  chunks: AsyncIterable<Buffer>,
  { delimiter, header, onHeader }: CsvOptions,
): AsyncGenerator<readonly SourceRecord[]> {
  let names = header
  let separator = delimiter
  let hasProto = true
  const recordOf = (lines: readonly Line[]): SourceRecord | null => {
    const [first] = lines as readonly [Line]
    if (lines.some(({ text }) => text === null)) return faulty(lines, ...NOT_UTF8)
    const text = lines.length === 1 ? (first.text as string) : lines.map((line) => line.text).join('\n')
    separator ??= likelyDelimiter(text)
    let cells: readonly string[]
    try {
      cells = cellsOf(text, separator)
    } catch (error) {
      return faulty(lines, 'NOT_CSV', `It is no record of a CSV: ${reasonOf(error)}`)
    }
    if (names === null) {
      onHeader(rawBytes(lines))
      names = cells.map((name) => name.trim())
      hasProto = names.includes('__proto__')
      return null
    }
    if (cells.length !== names.length)
      return faulty(lines, 'WRONG_COLUMNS', `It has ${cells.length} columns, and the header ${names.length}`)
    const columns = emptyColumns(hasProto)
    for (let at = 0; at < names.length; at++) columns[names[at] as string] = cells[at]
    return { line: first.number, raw: lines, fault: null, columns, exact: columns }
  }

  let open: Line[] = []
  const take = function* (lines: readonly Line[], isEnd: boolean): Generator<SourceRecord> {
    for (const line of lines) {
      if (open.length === 0 && !isFilled(line)) continue
      open.push(line)
      if (isOpen(open) && open.length <= MAX_RECORD_LINES) continue
      yield* close()
    }
    while (isEnd && open.length > 0) yield* close()
  }
  const close = function* (): Generator<SourceRecord> {
    const lines = open
    open = []
    const isComplete = !isOpen(lines)
    const record = recordOf(isComplete ? lines : lines.slice(0, 1))
    if (record !== null) yield record
    if (!isComplete) yield* take(lines.slice(1), false)
  }
  for await (const lines of readLines(chunks)) yield [...take(lines, false)]
  yield [...take([], true)]
  if (names === null)
    throw new QsError('IMPORT_UNREADABLE', 'The file is empty: a CSV begins with the names of its columns')
}

/** Whether a quote has no pair yet. A pair in quotes is a quote. */
function isOpen(lines: readonly Line[]): boolean {
  let quotes = 0
  for (const { text } of lines) if (text?.includes('"')) quotes += text.split('"').length - 1
  return quotes % 2 === 1
}

function cellsOf(text: string, delimiter: string): readonly string[] {
  if (!text.includes('"')) return text.split(delimiter)
  const [cells = []] = parse(text, { delimiter, relax_column_count: true })
  return cells
}

function likelyDelimiter(line: string): string {
  const counts = [';', '\t', ','].map((each) => [each, line.split(each).length] as const)
  return counts.reduce((best, each) => (each[1] > best[1] ? each : best))[0]
}
