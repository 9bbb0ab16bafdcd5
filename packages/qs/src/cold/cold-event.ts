import { DOUBLE, INTEGER, LOCAL_MOMENT, MOMENT, type ParquetColumn, TEXT } from '../parquet/parquet-stream.ts'

/** An event: its values in the order of COLUMNS. From the database, year and month of its event time follow. */
export type ColdRow = readonly (string | number | bigint | null)[]

interface Column {
  readonly name: string
  readonly element: ParquetColumn<ColdRow>['element']
  readonly encoding?: ParquetColumn<ColdRow>['encoding']
  /** Default: the column itself. */
  readonly sql?: string
  readonly isBigint?: true
}

/** Microseconds since 1970, exactly. An infinite time, which only people write, is null. */
const time = (name: string, element: Column['element'] = MOMENT): Column => ({
  name,
  element,
  encoding: 'DELTA_BINARY_PACKED',
  sql: `case when isfinite(${name}) then (extract(epoch from ${name}) * 1000000)::bigint end`,
  isBigint: true,
})

/** All that is stored of an event: these encodings, which readers have known for years, halve ids and times. */
const COLUMNS: readonly Column[] = [
  { name: 'event_id', element: TEXT, encoding: 'DELTA_BYTE_ARRAY' },
  { name: 'device_id', element: TEXT },
  { name: 'event_type', element: TEXT },
  { name: 'value_num', element: DOUBLE },
  { name: 'value_text', element: TEXT },
  { name: 'value_exact', element: TEXT, sql: `nullif(value_exact, '')` },
  { name: 'unit', element: TEXT },
  time('ts'),
  time('ts_device'),
  time('ts_device_local', LOCAL_MOMENT),
  { name: 'ts_device_raw', element: TEXT },
  time('ts_server'),
  { name: 'schema', element: INTEGER, sql: 'schema::int' },
  { name: 'meta', element: TEXT, sql: 'meta::text' },
]

export const coldColumns: readonly ParquetColumn<ColdRow>[] = COLUMNS.map(
  ({ name, element, encoding }, index) => ({
    name,
    element,
    ...(encoding !== undefined && { encoding }),
    read: (row) => row[index],
  }),
)

/** For a `select`: the columns, then year and month of the event time in UTC. */
export const coldSelection = [
  ...COLUMNS.map(({ name, sql = name }) => sql),
  ...['year', 'month'].map(
    (part) =>
      `extract(${part} from (case when isfinite(ts) then ts else ts_server end) at time zone 'UTC')::int as ${part}`,
  ),
].join(', ')

const [YEAR, MONTH] = [COLUMNS.length, COLUMNS.length + 1]

/** A row of `coldSelection` in `rowMode: 'array'`. */
export function fromDatabase(row: readonly (string | number | null)[]): ColdRow {
  return row.map((value, index) => (COLUMNS[index]?.isBigint && value !== null ? BigInt(value) : value))
}

export function fromFile(row: Readonly<Record<string, unknown>>): ColdRow {
  return COLUMNS.map(({ name }) => (row[name] ?? null) as ColdRow[number])
}

/** The folder of an event, as Hive names partitions. */
export function partitionOf(row: ColdRow): string {
  return `year=${row[YEAR]}/month=${String(row[MONTH]).padStart(2, '0')}`
}

/** The order of rows in a file, for SQL; `inOrder` is the same for two rows of a file. */
export const coldOrder =
  'year, month, device_id, event_type, case when isfinite(ts) then ts end nulls last, event_id'

const KEY = ['device_id', 'event_type', 'ts', 'event_id'].map((name) =>
  COLUMNS.findIndex((column) => column.name === name),
)

export function inOrder(one: ColdRow, other: ColdRow): number {
  for (const index of KEY) {
    const [a = null, b = null] = [one[index], other[index]]
    if (a === b) continue
    if (a === null || b === null) return a === null ? 1 : -1
    // The collation of these columns is "C": by bytes, and not by UTF-16 as < is.
    if (typeof a === 'string' || typeof b === 'string')
      return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
    return a < b ? -1 : 1
  }
  return 0
}

export function isSameEvent(one: ColdRow, other: ColdRow): boolean {
  return COLUMNS.every((_, index) => Object.is(one[index], other[index]))
}

/** Estimated size in memory. */
export function bytesOf(row: ColdRow): number {
  return row.reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 8), 300)
}
