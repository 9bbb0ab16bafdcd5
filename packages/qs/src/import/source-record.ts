import { bytesOf, type Line } from './read-lines.ts'

/** The columns of a line by name: fields of a JSON object, columns of a CSV, tags and fields of the line protocol. */
export type Columns = Readonly<Record<string, unknown>>

/** Why a line cannot become an event. */
export interface LineFault {
  readonly code: string
  readonly message: string
}

/** One line of the input; one record of a CSV, which may take several lines. */
export interface SourceRecord {
  /** The line on which it begins, from 1. */
  readonly line: number
  /** As read, without the line end. */
  readonly raw: readonly Line[]
  readonly fault: LineFault | null
  readonly columns: Columns
  /** The same columns with the numbers marked by parseExact, if a double may lose digits; otherwise the same object. */
  readonly exact: Columns
  /** The fields of a line of the line protocol, each of which is an event. */
  readonly fields?: ReadonlyMap<string, unknown>
}

export const NO_COLUMNS: Columns = {}

export function faulty(raw: readonly Line[], code: string, message: string): SourceRecord {
  const line = raw[0]?.number ?? 0
  return { line, raw, fault: { code, message }, columns: NO_COLUMNS, exact: NO_COLUMNS }
}

const LF = Buffer.from('\n')

/** The bytes of a record, as read. */
export function rawBytes(lines: readonly Line[]): Buffer {
  return Buffer.concat(lines.flatMap((line, n) => (n === 0 ? [bytesOf(line)] : [LF, bytesOf(line)])))
}

/** An object for columns of these names; a plain one takes `__proto__` for something else. */
export function emptyColumns(hasProto: boolean): Record<string, unknown> {
  return hasProto ? Object.create(null) : {}
}
