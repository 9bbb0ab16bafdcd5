import type { ExportRow } from '../../queries/export-rows.ts'

const COLUMNS = {
  event_id: 'eventId',
  device_id: 'deviceId',
  event_type: 'eventType',
  value_num: 'valueNum',
  value_text: 'valueText',
  unit: 'unit',
  ts: 'ts',
  ts_device: 'tsDevice',
  ts_server: 'tsServer',
} as const satisfies Readonly<Record<string, keyof ExportRow>>

/** RFC 4180. */
export async function* toCsv(parts: AsyncIterable<readonly ExportRow[]>): AsyncGenerator<string> {
  yield `${Object.keys(COLUMNS).join(',')}\r\n`
  for await (const rows of parts) {
    yield rows
      .map(
        (row) =>
          `${Object.values(COLUMNS)
            .map((name) => field(row[name]))
            .join(',')}\r\n`,
      )
      .join('')
  }
}

/** A text that a spreadsheet would take for a formula gets an apostrophe before it: devices are not to be trusted. */
function field(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
