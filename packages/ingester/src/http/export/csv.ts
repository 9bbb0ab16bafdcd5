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

/** What a spreadsheet may take for the beginning of a formula, full-width forms (U+FF1D, FF0B, FF0D, FF20) included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i
/** A semicolon separates fields where a comma separates decimals, and the next field may begin a formula too. */
const QUOTED = /[",;\t\r\n]/

/** Devices are not to be trusted: an apostrophe makes a text of what is no plain number and would be taken for a formula. */
function field(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
