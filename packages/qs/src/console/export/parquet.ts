import { ByteWriter, ParquetWriter, type SchemaElement } from 'hyparquet-writer'
import type { ExportRow } from '../queries/export-rows.ts'

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

/** Size of a row group. The metadata of all row groups stays in memory until the end, so small parts are combined. */
const [GROUP_ROWS, GROUP_BYTES] = [5_000, 2_000_000]

/** Writes Apache Parquet with Snappy, with at most one row group in memory. */
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
    // The file offset keeps counting, so the bytes taken stay part of the file.
    writer.index = 0
    return bytes
  }
  for await (const rows of inGroups(parts)) {
    file.write({
      columnData: COLUMNS.map(([name, , read]) => ({ name, data: rows.map(read) })),
      rowGroupSize: rows.length,
    })
    yield take()
  }
  file.finish()
  yield take()
}

async function* inGroups(parts: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<readonly ExportRow[]> {
  let group: ExportRow[] = []
  let bytes = 0
  for await (const rows of parts) {
    group.push(...rows)
    bytes += rows.reduce((sum, row) => sum + bytesOf(row), 0)
    if (group.length < GROUP_ROWS && bytes < GROUP_BYTES) continue
    yield group
    group = []
    bytes = 0
  }
  if (group.length > 0) yield group
}

/** Estimated size: 300 bytes plus the texts that can be long. */
function bytesOf({ valueText, valueExact, tsDeviceRaw, meta }: ExportRow): number {
  return [valueText, valueExact, tsDeviceRaw, meta].reduce((sum, text) => sum + (text?.length ?? 0), 300)
}

/** Microseconds since 1970 of RFC 3339 text with six digits. */
function micros(moment: string | null): bigint | null {
  if (moment === null) return null
  return BigInt(Date.parse(`${moment.slice(0, 19)}Z`)) * 1000n + BigInt(moment.slice(20, 26))
}
