import { type CsvOptions, readCsv } from './csv.ts'
import { readJsonLines } from './json-lines.ts'
import { readLineProtocol } from './line-protocol.ts'
import { CSV, HOME_ASSISTANT, JSON_LINES, LINE_PROTOCOL, type Mapping } from './mapping.ts'
import type { SourceRecord } from './source-record.ts'

/** A format of files. */
export interface Format {
  readonly mapping: Mapping
  read(chunks: AsyncIterable<Buffer>, options: CsvOptions): AsyncIterable<readonly SourceRecord[]>
}

export const FORMAT_NAMES = ['csv', 'jsonl', 'influx', 'home-assistant'] as const
export type FormatName = (typeof FORMAT_NAMES)[number]

const FORMATS: Readonly<Record<FormatName, Format>> = {
  csv: { mapping: CSV, read: readCsv },
  jsonl: { mapping: JSON_LINES, read: readJsonLines },
  influx: { mapping: LINE_PROTOCOL, read: readLineProtocol },
  'home-assistant': { mapping: HOME_ASSISTANT, read: readCsv },
}

/** File name extensions by format. */
const EXTENSIONS: Readonly<Record<string, FormatName>> = {
  ...{ csv: 'csv', tsv: 'csv', jsonl: 'jsonl', ndjson: 'jsonl' },
  ...{ lp: 'influx', line: 'influx', influx: 'influx' },
}

export function formatOf(name: FormatName): Format {
  return FORMATS[name]
}

/** The format that a file name tells; null if it tells none. */
export function formatByName(file: string): FormatName | null {
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(file)?.[1]?.toLowerCase() ?? ''
  return Object.hasOwn(EXTENSIONS, extension) ? (EXTENSIONS[extension] ?? null) : null
}
