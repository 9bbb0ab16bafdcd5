import { isTimeZone } from '@qs-telemetry/protocol'
import type { Config } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'
import { deviceNameProblem } from './device-name.ts'

/** A line of a list of new devices; null: not given. */
interface ListedDevice {
  readonly deviceId: string
  readonly label: string | null
  readonly room: string | null
  readonly timeZone: string | null
  readonly notes: string | null
}

/** The columns, in the order that they have without a header. */
const COLUMNS = ['device_id', 'label', 'room', 'time_zone', 'notes'] as const
const LONGEST: Readonly<Record<string, number>> = { label: 200, room: 100, notes: 4_000 }
/** One account takes three answers of the broker. */
const MOST = 1_000

/**
 * Reads a list of new devices: CSV (RFC 4180) with comma, semicolon or tab. A first line that begins with device_id names the
 * columns.
 *
 * @throws QsError WRONG_DEVICE_LIST with every problem
 */
export function readDeviceList(config: Config, text: string): readonly ListedDevice[] {
  const lines = readCsv(text.replace(/^\uFEFF/, '')).filter(({ cells }) => cells.some((cell) => cell !== ''))
  const [first] = lines
  const hasHeader = first?.cells[0]?.toLowerCase() === 'device_id'
  const columns: readonly string[] = hasHeader ? first.cells.map((cell) => cell.toLowerCase()) : COLUMNS
  const rows = hasHeader ? lines.slice(1) : lines
  const problems = columns
    .filter((name) => !(COLUMNS as readonly string[]).includes(name))
    .map((name) => `line 1: there is no column "${name}"`)
  if (rows.length === 0) problems.push('it names no device')
  if (rows.length > MOST)
    problems.push(`it has ${rows.length} devices, and at most ${MOST} are added at once`)
  const seen = new Set<string>()
  const devices = rows.map(({ cells, line }) => {
    const cellOf = (name: (typeof COLUMNS)[number]) => cells[columns.indexOf(name)] || null
    const deviceId = cellOf('device_id') ?? ''
    const found = [
      deviceNameProblem(config, deviceId),
      seen.has(deviceId) ? `${deviceId} is there twice` : null,
      cells.length > columns.length ? `${cells.length} cells, and ${columns.length} columns` : null,
      ...Object.entries(LONGEST).map(([name, most]) =>
        (cellOf(name as 'label')?.length ?? 0) > most ? `${name} has more than ${most} characters` : null,
      ),
      zoneProblem(cellOf('time_zone')),
    ]
    problems.push(...found.filter((each) => each !== null).map((each) => `line ${line}: ${each}`))
    seen.add(deviceId)
    const [label, room, timeZone] = [cellOf('label'), cellOf('room'), cellOf('time_zone')]
    return { deviceId, label, room, timeZone, notes: cellOf('notes') }
  })
  if (problems.length === 0) return devices
  throw new QsError(
    'WRONG_DEVICE_LIST',
    `The list of devices is wrong:\n${problems.map((each) => `  ${each}\n`).join('')}`,
  )
}

function zoneProblem(zone: string | null): string | null {
  return zone === null || isTimeZone(zone) ? null : `"${zone}" is not an IANA time zone`
}

interface Line {
  /** In the text, from 1; a cell may have several. */
  readonly line: number
  readonly cells: readonly string[]
}

/** A cell, quoted or not, and what ends it. */
const CELL = (separator: string) =>
  new RegExp(`("(?:[^"]|"")*"[ ]*|[^\\r\\n${separator}]*)(${separator}|\\r?\\n|\\r|$)`, 'y')

function readCsv(text: string): readonly Line[] {
  const separator = /[,;\t]/.exec(text.split(/[\r\n]/, 1)[0] ?? '')?.[0] ?? ','
  const cell = CELL(separator)
  const lines: Line[] = []
  let [line, began]: [number, number] = [1, 1]
  let cells: string[] = []
  while (cell.lastIndex < text.length) {
    const [, content = '', end = ''] = cell.exec(text) ?? []
    const trimmed = content.trim()
    cells.push(/^".*"$/s.test(trimmed) ? trimmed.slice(1, -1).replaceAll('""', '"').trim() : trimmed)
    line += (content + end).split(/\r?\n|\r/).length - 1
    if (end === separator && cell.lastIndex < text.length) continue
    lines.push({ line: began, cells })
    cells = []
    began = line
  }
  return lines
}
