import { LocalClock } from '@qs-telemetry/protocol'
import type { ExportRow } from '../queries/export-rows.ts'

const COLUMNS = {
  event_id: 'eventId',
  device_id: 'deviceId',
  event_type: 'eventType',
  value_num: 'valueNum',
  value_text: 'valueText',
  value_exact: 'valueExact',
  unit: 'unit',
  ts: 'ts',
  ts_device: 'tsDevice',
  ts_device_raw: 'tsDeviceRaw',
  ts_server: 'tsServer',
  schema: 'schema',
  meta: 'meta',
} as const satisfies Readonly<Record<string, keyof ExportRow>>

export interface CsvOptions {
  /** Spreadsheets on Windows need it to recognise UTF-8. Other readers may take it as part of the first column name. */
  readonly bom: boolean
  /** Adds a column with the event time in this zone, in milliseconds, as spreadsheets read it; null: no column. */
  readonly timeZone: string | null
  /**
   * Ends the file with a line `# end of export: 5 events`, which is missing in a truncated file. It is not a CSV
   * record, so it is optional. (An HTTP trailer would not be saved to the file, nor pass most proxies.)
   */
  readonly endLine: boolean
}

const BOM = '\uFEFF'

/** RFC 4180. */
export async function* toCsv(
  parts: AsyncIterable<readonly ExportRow[]>,
  { bom, timeZone, endLine }: CsvOptions,
): AsyncGenerator<string> {
  const fields = Object.values(COLUMNS)
  const clock = timeZone === null ? null : new LocalClock(timeZone)
  const names = [...Object.keys(COLUMNS), ...(clock === null ? [] : ['ts_local'])]
  yield `${bom ? BOM : ''}${names.join(',')}\r\n`
  let events = 0
  for await (const rows of parts) {
    events += rows.length
    const lines = rows.map((row) => {
      const local = clock === null ? '' : `,${clock.text(row.ts)}`
      return `${fields.map((name) => field(row[name])).join(',')}${local}\r\n`
    })
    yield lines.join('')
  }
  if (endLine) yield `# end of export: ${events} events\r\n`
}

/** Characters that start a formula in a spreadsheet, including full-width forms (U+FF1D, FF0B, FF0D, FF20). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i
/**
 * In locales with a decimal comma, a semicolon separates fields, so text after it may start a formula too. A reader
 * that skips comments, such as pandas with `comment='#'`, must find none but the last line.
 */
const QUOTED = /[",;#\t\r\n]/

/** Devices are not trusted: an apostrophe precedes text that a spreadsheet would take as a formula, except numbers. */
function field(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (value === '') return '""'
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
