import { readDeviceTime } from './device-time.ts'
import { formatInstant } from './instant.ts'

/**
 * A time with `Z` or an offset as RFC 3339 in UTC with six digits, or null if it is not one. All such texts have the
 * same form, so that they sort like the times, and PostgreSQL reads the microseconds that a Date would lose.
 */
export function utcText(time: string): string | null {
  const read = readDeviceTime(time, { timeZone: 'UTC', serverTime: { epochMs: 0, micros: 0 } })
  return read.kind === 'instant' ? formatInstant(read.at) : null
}
