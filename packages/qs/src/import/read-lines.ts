import { isUtf8 } from 'node:buffer'
import { QsError } from '../errors/qs-error.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without the line end. */
  readonly bytes: Buffer
  /** null if the bytes are not UTF-8. */
  readonly text: string | null
}

/** No line of a telemetry file is this long: it is another kind of file. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const [LF, CR] = [0x0a, 0x0d]
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** The lines of a stream, in portions. Lines end with LF or CRLF; the last one need not. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  const lineOf = (bytes: Buffer, isKnownUtf8: boolean): Line => {
    let end = bytes.length
    if (bytes[end - 1] === CR) end--
    const start = number === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
    const line = bytes.subarray(start, end)
    number++
    return { number, bytes: line, text: isKnownUtf8 || isUtf8(line) ? line.toString() : null }
  }
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(LF) + 1
    rest = bytes.subarray(end)
    if (rest.length > MAX_LINE_BYTES)
      throw new QsError('IMPORT_UNREADABLE', `Line ${number + 1} is longer than 16 MiB`)
    if (end === 0) continue
    // One test of all lines costs less than one of each.
    const isKnownUtf8 = isUtf8(bytes.subarray(0, end))
    const lines: Line[] = []
    for (let start = 0; start < end; ) {
      const next = bytes.indexOf(LF, start)
      lines.push(lineOf(bytes.subarray(start, next), isKnownUtf8))
      start = next + 1
    }
    yield lines
  }
  if (rest.length > 0) yield [lineOf(rest, false)]
}
