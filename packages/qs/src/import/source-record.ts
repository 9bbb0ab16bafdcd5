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
  readonly raw: Buffer
  readonly fault: LineFault | null
  readonly columns: Columns
  /** The same columns with the numbers marked by parseExact, if a double may lose digits; otherwise the same object. */
  readonly exact: Columns
  /** The fields of a line of the line protocol, each of which is an event. */
  readonly fields?: ReadonlyMap<string, unknown>
}

export const NO_COLUMNS: Columns = {}

export function faulty(line: number, raw: Buffer, code: string, message: string): SourceRecord {
  return { line, raw, fault: { code, message }, columns: NO_COLUMNS, exact: NO_COLUMNS }
}
