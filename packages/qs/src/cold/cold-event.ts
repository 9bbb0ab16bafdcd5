import { DOUBLE, INTEGER, LOCAL_MOMENT, MOMENT, type ParquetColumn, TEXT } from '../parquet/parquet-stream.ts'

/** The columns of an event as PostgreSQL sends them to `rowMode: 'array'`, in the order of COLUMNS. */
export type ColdRow = readonly (string | number | null)[]

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
  ({ name, element, encoding, isBigint }, index) => ({
    name,
    element,
    ...(encoding !== undefined && { encoding }),
    read: isBigint
      ? (row) => (row[index] === null ? null : BigInt(row[index] as string))
      : (row) => row[index],
  }),
)

/** For a `select`: what `coldColumns` read, then year and month of the event time in UTC. */
export const coldSelection = [
  ...COLUMNS.map(({ name, sql = name }) => sql),
  ...['year', 'month'].map(
    (part) =>
      `extract(${part} from (case when isfinite(ts) then ts else ts_server end) at time zone 'UTC')::int as ${part}`,
  ),
].join(', ')

const [YEAR, MONTH] = [COLUMNS.length, COLUMNS.length + 1]

/** The folder of an event, as Hive names partitions. */
export function partitionOf(row: ColdRow): string {
  return `year=${row[YEAR]}/month=${String(row[MONTH]).padStart(2, '0')}`
}

/** Estimated size in memory. */
export function bytesOf(row: ColdRow): number {
  return row.reduce((sum: number, value) => sum + (typeof value === 'string' ? value.length : 8), 300)
}
