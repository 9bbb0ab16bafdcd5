import { isUtf8 } from 'node:buffer'
import { QsError } from '../errors/qs-error.ts'

export interface Line {
  /** From 1. */
  readonly number: number
  /** Without the line end; null if the bytes are not UTF-8. */
  readonly text: string | null
  /** The bytes of a line that is not UTF-8. */
  readonly bytes: Buffer | null
}

/** No line of a telemetry file is this long: it is another kind of file. */
const MAX_LINE_BYTES = 16 * 1024 * 1024
const LF = 0x0a

/** The lines of a stream, in portions. Lines end with LF or CRLF; the last one need not. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0)
  let number = 0
  const lineOf = (text: string): Line => {
    const start = number === 0 && text.startsWith('\ufeff') ? 1 : 0
    number++
    return { number, text: text.slice(start, text.endsWith('\r') ? -1 : undefined), bytes: null }
  }
  const lineIn = (bytes: Buffer): Line => {
    if (isUtf8(bytes)) return lineOf(bytes.toString())
    number++
    return { number, text: null, bytes }
  }
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(LF) + 1
    rest = bytes.subarray(end)
    if (rest.length > MAX_LINE_BYTES)
      throw new QsError('IMPORT_UNREADABLE', `Line ${number + 1} is longer than 16 MiB`)
    if (end === 0) continue
    const whole = bytes.subarray(0, end - 1)
    // One text for all lines costs less than one for each.
    yield isUtf8(whole) ? whole.toString().split('\n').map(lineOf) : split(whole).map(lineIn)
  }
  if (rest.length > 0) yield [lineIn(rest)]
}

function split(bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  return [...parts, bytes.subarray(start)]
}

/** The bytes of a line, as read. */
export function bytesOf({ text, bytes }: Line): Buffer {
  return bytes ?? Buffer.from(text ?? '')
}
