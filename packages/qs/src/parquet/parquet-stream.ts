import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from 'hyparquet-writer'

export interface ParquetColumn<R> {
  readonly name: string
  readonly element: Omit<SchemaElement, 'name'>
  /** Default: a dictionary where that is smaller, plain values otherwise. */
  readonly encoding?: ColumnSource['encoding']
  readonly read: (row: R) => unknown
}

export const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const
export const DOUBLE = { type: 'DOUBLE', repetition_type: 'OPTIONAL' } as const
export const INTEGER = { type: 'INT32', repetition_type: 'OPTIONAL' } as const
/** Microseconds since 1970, as bigint. */
export const MOMENT = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MICROS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  repetition_type: 'OPTIONAL',
} as const
/** The same for a time of day without a zone; the older `converted_type` has no name for it. */
export const LOCAL_MOMENT = {
  type: 'INT64',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
  repetition_type: 'OPTIONAL',
} as const

/** The bytes of an Apache Parquet file, with one of the groups in memory at a time. */
export async function* parquetStream<R>(
  columns: readonly ParquetColumn<R>[],
  groups: AsyncIterable<readonly R[]>,
  compression?: Compression,
): AsyncGenerator<Buffer> {
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, element }) => ({ name, ...element })),
    ],
    createdBy: 'qs-telemetry',
    ...compression,
  })
  const take = () => {
    const bytes = Buffer.from(writer.getBytes())
    // The file offset keeps counting, so the bytes taken stay part of the file.
    writer.index = 0
    return bytes
  }
  for await (const rows of groups) {
    file.write({
      columnData: columns.map(({ name, encoding, read }) => ({
        name,
        data: rows.map(read),
        ...(encoding !== undefined && { encoding }),
      })),
      rowGroupSize: rows.length,
    })
    yield take()
  }
  file.finish()
  yield take()
}

/** Default: Snappy. */
export type Compression = Pick<ConstructorParameters<typeof ParquetWriter>[0], 'codec' | 'compressors'>
