import { parseExact } from '../decode/exact-numbers.ts'
import { isFilled, NOT_UTF8 } from './json-lines.ts'
import { type Line, readLines } from './read-lines.ts'
import { emptyColumns, faulty, type SourceRecord } from './source-record.ts'

/**
 * InfluxDB line protocol: `measurement,tag=a field=1.5,other=2i 1764430000000000000`. Measurement and tags are columns
 * (`_measurement`, `_time`, and the names of the tags); each field is an event.
 */
export async function* readLineProtocol(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<readonly SourceRecord[]> {
  for await (const lines of readLines(chunks))
    yield lines.filter((line) => isFilled(line) && !line.text?.startsWith('#')).map(recordOf)
}

/** Special characters are escaped with a backslash; any other backslash is itself. */
const MEASUREMENT = /(?:[^,\s\\]|\\[\s\S])+/y
const TAG = /,((?:[^,=\s\\]|\\[\s\S])+)=((?:[^,=\s\\]|\\[\s\S])+)/y
const FIELD = /((?:[^,=\s\\]|\\[\s\S])+)=("(?:[^"\\]|\\[\s\S])*"|[^,\s"]+)/y
const TIME = /\s+(-?\d+)\s*$/y
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const SAFE_LENGTH = 15

function recordOf(line: Line): SourceRecord {
  const { number, text } = line
  if (text === null) return faulty([line], ...NOT_UTF8)
  const wrong = (message: string) => faulty([line], 'NOT_LINE_PROTOCOL', message)
  let at = 0
  const next = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) at = pattern.lastIndex
    return match
  }
  const columns = emptyColumns(text.includes('__proto__'))
  const measurement = next(MEASUREMENT)
  if (measurement === null) return wrong('It does not begin with a measurement')
  columns._measurement = unescaped(measurement[0])
  for (let tag = next(TAG); tag !== null; tag = next(TAG))
    columns[unescaped(tag[1] as string)] = unescaped(tag[2] as string)
  if (text[at] !== ' ') return wrong(`A space and the fields are expected at column ${at + 1}`)
  at++
  const fields = new Map<string, unknown>()
  let isMarked = false
  do {
    const field = next(FIELD)
    if (field === null) return wrong(`A field, name=value, is expected at column ${at + 1}`)
    const value = readValue(field[2] as string)
    if (value === undefined)
      return wrong(
        `The value of ${JSON.stringify(field[1])} is no number, no truth value and no text in quotes`,
      )
    isMarked ||= value.isMarked
    fields.set(unescaped(field[1] as string), value.value)
  } while (text[at] === ',' && at++ >= 0)
  const time = next(TIME)
  if (time !== null) columns._time = time[1]
  else if (text.slice(at).trim() !== '') return wrong(`A time in digits is expected at column ${at + 1}`)
  return {
    line: number,
    raw: [line],
    fault: null,
    columns,
    exact: isMarked ? { ...columns } : columns,
    fields,
  }
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([,= \\])/g, '$1') : text
}

const TRUTH = /^(?:t|T|true|True|TRUE|(f|F|false|False|FALSE))$/

function readValue(text: string): { readonly value: unknown; readonly isMarked: boolean } | undefined {
  if (text.startsWith('"')) return { value: text.slice(1, -1).replace(/\\(["\\])/g, '$1'), isMarked: false }
  const truth = TRUTH.exec(text)
  if (truth !== null) return { value: truth[1] === undefined, isMarked: false }
  const number = /^-?\d+[iu]$/.test(text) ? text.slice(0, -1) : text
  if (!NUMBER.test(number)) return undefined
  if (number.length <= SAFE_LENGTH || !/^-?(?:0|[1-9])/.test(number))
    return { value: Number(number), isMarked: false }
  return { value: parseExact(number), isMarked: true }
}
