import {
  DOUBLE,
  INTEGER,
  MOMENT,
  type ParquetColumn,
  parquetStream,
  TEXT,
} from '../../parquet/parquet-stream.ts'
import type { ExportRow } from '../queries/export-rows.ts'

const COLUMNS: readonly ParquetColumn<ExportRow>[] = [
  { name: 'event_id', element: TEXT, read: (row) => row.eventId },
  { name: 'device_id', element: TEXT, read: (row) => row.deviceId },
  { name: 'event_type', element: TEXT, read: (row) => row.eventType },
  { name: 'value_num', element: DOUBLE, read: (row) => row.valueNum },
  { name: 'value_text', element: TEXT, read: (row) => row.valueText },
  { name: 'value_exact', element: TEXT, read: (row) => row.valueExact },
  { name: 'unit', element: TEXT, read: (row) => row.unit },
  { name: 'ts', element: MOMENT, read: (row) => micros(row.ts) },
  { name: 'ts_device', element: MOMENT, read: (row) => micros(row.tsDevice) },
  { name: 'ts_device_raw', element: TEXT, read: (row) => row.tsDeviceRaw },
  { name: 'ts_server', element: MOMENT, read: (row) => micros(row.tsServer) },
  { name: 'schema', element: INTEGER, read: (row) => row.schema },
  { name: 'meta', element: TEXT, read: (row) => row.meta },
]

/** Size of a row group. The metadata of all row groups stays in memory until the end, so small parts are combined. */
const [GROUP_ROWS, GROUP_BYTES] = [5_000, 2_000_000]

/** Apache Parquet with Snappy, with at most one row group in memory. */
export function toParquet(parts: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<Buffer> {
  return parquetStream(COLUMNS, inGroups(parts))
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
