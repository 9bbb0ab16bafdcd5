import { readDeviceTime } from './device-time.ts'
import { formatInstant } from './instant.ts'

/**
 * A time with `Z` or an offset as RFC 3339 in UTC with six digits, or null where it is none. All such texts have one form,
 * so that their order is that of the times, and PostgreSQL reads the microseconds that a Date would lose.
 */
export function utcText(time: string): string | null {
  const read = readDeviceTime(time, { timeZone: 'UTC', serverTime: { epochMs: 0, micros: 0 } })
  return read.kind === 'instant' ? formatInstant(read.at) : null
}
