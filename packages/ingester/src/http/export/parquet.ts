import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import type { ExportRow } from '../../queries/export-rows.ts'

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const
const TIME = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MICROS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  repetition_type: 'OPTIONAL',
} as const

type Column = readonly [name: string, element: Omit<SchemaElement, 'name'>, read: (row: ExportRow) => unknown]

const COLUMNS: readonly Column[] = [
  ['event_id', TEXT, (row) => row.eventId],
  ['device_id', TEXT, (row) => row.deviceId],
  ['event_type', TEXT, (row) => row.eventType],
  ['value_num', { type: 'DOUBLE', repetition_type: 'OPTIONAL' }, (row) => row.valueNum],
  ['value_text', TEXT, (row) => row.valueText],
  ['value_exact', TEXT, (row) => row.valueExact],
  ['unit', TEXT, (row) => row.unit],
  ['ts', TIME, (row) => micros(row.ts)],
  ['ts_device', TIME, (row) => micros(row.tsDevice)],
  ['ts_device_raw', TEXT, (row) => row.tsDeviceRaw],
  ['ts_server', TIME, (row) => micros(row.tsServer)],
  ['schema', { type: 'INT32', repetition_type: 'OPTIONAL' }, (row) => row.schema],
  ['meta', TEXT, (row) => row.meta],
]

/** Apache Parquet with snappy, a row group for each part, so that no more than one part is in memory. */
export async function* toParquet(parts: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Buffer> {
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: COLUMNS.length },
      ...COLUMNS.map(([name, element]) => ({ name, ...element })),
    ],
    createdBy: 'qs-telemetry',
  })
  const take = () => {
    const bytes = Buffer.from(writer.getBytes())
    // Its offset goes on counting: what is taken stays part of the file.
    writer.index = 0
    return bytes
  }
  for await (const rows of parts) {
    file.write({
      columnData: COLUMNS.map(([name, , read]) => ({ name, data: rows.map(read) })),
      rowGroupSize: rows.length,
    })
    yield take()
  }
  file.finish()
  yield take()
}

/** Microseconds since 1970 of RFC 3339 text with six digits. */
function micros(moment: string | null): bigint | null {
  if (moment === null) return null
  return BigInt(Date.parse(`${moment.slice(0, 19)}Z`)) * 1000n + BigInt(moment.slice(20, 26))
}
