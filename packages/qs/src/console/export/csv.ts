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
  /** Without it, spreadsheets on Windows take UTF-8 for another encoding. Other readers may take it for a part of the first name. */
  readonly bom: boolean
  /** Adds a column with the event time as clocks there show it, to the millisecond, as spreadsheets read it; null: no such column. */
  readonly timeZone: string | null
  /**
   * Ends the file with a line `# end of export: 5 events`, which a file that broke off lacks. It is no record of CSV, so it is there
   * only where it is asked for. (A trailer of HTTP would not get into the file, nor through most proxies.)
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

/** What a spreadsheet may take for the beginning of a formula, full-width forms (U+FF1D, FF0B, FF0D, FF20) included. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/
const NUMBER = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i
/**
 * A semicolon separates fields where a comma separates decimals, and the next field may begin a formula too. A reader that skips
 * comments, as pandas with `comment='#'`, must find none but the last line.
 */
const QUOTED = /[",;#\t\r\n]/

/** Devices are not to be trusted: an apostrophe makes a text of what is no plain number and would be taken for a formula. */
function field(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (value === '') return '""'
  const text = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
