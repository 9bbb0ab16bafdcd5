import { utcText } from '@qs-telemetry/protocol'
import { QsError } from '../errors/qs-error.ts'

/** RFC 3339 in UTC with six fractional digits; `from` is inclusive, `to` exclusive. */
export interface TimeRange {
  readonly from: string
  readonly to: string
}

const MAX_YEARS_MS = 200 * 365 * 86_400_000

/** @throws QsError if `to` is not later than `from` */
export function readRange({ from, to }: TimeRange): TimeRange {
  const range = { from: readMoment(from), to: readMoment(to) }
  if (range.from >= range.to || Date.parse(range.to) - Date.parse(range.from) > MAX_YEARS_MS)
    throw new QsError('INVALID_TIME_RANGE', `from ${from} to ${to} is not a valid time range`)
  return range
}

/** @throws QsError if it is not a time in the years 1 to 9999 */
export function readMoment(text: string): string {
  const moment = utcText(text)
  if (moment === null) throw new QsError('INVALID_TIME_RANGE', `${text} is not a time in the years 1 to 9999`)
  return moment
}
