import { Temporal } from 'temporal-polyfill'
import { formatInstant, type Instant, instantFromMs } from './instant.ts'

/** The parsed `ts_device`. */
export type DeviceTime =
  | { readonly kind: 'absent' }
  /** Unix time, or a time with `Z` or an offset: taken at its word. */
  | { readonly kind: 'instant'; readonly at: Instant }
  /** A time without offset. `wall` is the local time as sent, `2026-01-15T12:00:00.000000`, in any zone. */
  | { readonly kind: 'local'; readonly at: Instant; readonly wall: string }
  /** `raw` is the text as sent, or its JSON if it was not a string or PostgreSQL could not store it. */
  | { readonly kind: 'unreadable'; readonly raw: string }

export interface DeviceTimeContext {
  /** IANA name; the zone of times without offset. */
  readonly timeZone: string
  /** Decides which of two instants an ambiguous local time means. */
  readonly serverTime: Instant
}

// ISO 8601, extended or basic, T or a space; fraction of a second with . or , ; Z, ±hh, ±hh:mm or ±hhmm.
const ISO =
  /^(\d{4})(-?)(\d\d)\2(\d\d)[Tt ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,18}))?)?)? ?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?$/

const DAY_MS = 86_400_000
const QUARTER_MS = 900_000
const MIN_MS = Date.parse('0001-01-01T00:00:00Z')
const MAX_MS = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * Reads the device's clock: ISO 8601 in the years 0001 to 9999, or Unix time (below 1e11 seconds, otherwise
 * milliseconds). Never throws: any other value is `unreadable`, and the event is stored all the same.
 *
 * A local time that occurs twice is the instant nearest to the server time; one that does not exist is shifted
 * forward by the gap.
 */
export function readDeviceTime(value: unknown, context: DeviceTimeContext): DeviceTime {
  if (value === undefined || value === null) return { kind: 'absent' }
  if (typeof value === 'number') return readUnixTime(value)
  return (typeof value === 'string' && readIso(value, context)) || unreadable(value)
}

/** Whether this host knows a time zone by this name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

function unreadable(value: unknown): DeviceTime {
  const isStorable = typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  return { kind: 'unreadable', raw: isStorable ? value : writeJson(value) }
}

/**
 * Node 20 parses a value nested 10,000 levels deep but cannot serialize it; Node 26 can. A bound below both gives the
 * same text on either, so that an event resent after an upgrade of Node is a duplicate.
 */
const MAX_LEVELS = 1_000
/** Replaces a ts_device with more levels. */
export const NESTED_TOO_DEEP = '(nested too deep to be kept)'

function writeJson(value: unknown): string {
  return isDeeper(value, MAX_LEVELS) ? NESTED_TOO_DEEP : JSON.stringify(value)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1))
}

function readUnixTime(value: number): DeviceTime {
  const at = instantFromMs(value < 1e11 ? value * 1000 : value)
  return inRange(at.epochMs) ? { kind: 'instant', at } : unreadable(value)
}

/** Seconds with Z by their text: a flood of events repeats the same few thousands of times. */
const knownSeconds = new Map<string, number>()
const MAX_KNOWN_SECONDS = 256
const SECOND_LENGTH = '2026-01-15T12:00:00'.length

/** A time with Z in a cached second, with a fraction of up to six digits; null for all others. */
function readKnownSecond(text: string): DeviceTime | null {
  const digits = text.length - SECOND_LENGTH - 2
  if (digits > 6 || digits === 0 || !text.endsWith('Z')) return null
  const secondMs = knownSeconds.get(text.slice(0, SECOND_LENGTH))
  if (secondMs === undefined) return null
  if (digits < 0) return { kind: 'instant', at: { epochMs: secondMs, micros: 0 } }
  if (text[SECOND_LENGTH] !== '.') return null
  let micros = 0
  for (let place = 0; place < 6; place++) {
    const digit = place < digits ? text.charCodeAt(SECOND_LENGTH + 1 + place) - 0x30 : 0
    if (digit < 0 || digit > 9) return null
    micros = micros * 10 + digit
  }
  return {
    kind: 'instant',
    at: { epochMs: secondMs + Math.floor(micros / 1000), micros: micros % 1000 },
  }
}

function rememberSecond(text: string, secondMs: number): void {
  if (text[13] !== ':' || text[16] !== ':' || !/[.Z]/.test(text[SECOND_LENGTH] ?? '')) return
  if (knownSeconds.size === MAX_KNOWN_SECONDS) knownSeconds.clear()
  knownSeconds.set(text.slice(0, SECOND_LENGTH), secondMs)
}

function readIso(text: string, { timeZone, serverTime }: DeviceTimeContext): DeviceTime | null {
  const known = readKnownSecond(text)
  if (known !== null) return known
  const match = ISO.exec(text)
  if (match === null) return null
  const [
    ,
    year,
    dash,
    month,
    day,
    hour,
    minute = '0',
    second = '0',
    fraction = '',
    zulu,
    sign,
    offsetHours,
    offsetMinutes = '0',
  ] = match
  const wallMs = wallClock(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  // 24:00 is the end of the day; nothing after it is valid.
  if (wallMs === null || (hour === '24' && /[1-9]/.test(fraction))) return null
  const digits = fraction.padEnd(6, '0')
  const wall: Instant = { epochMs: wallMs + Number(digits.slice(0, 3)), micros: Number(digits.slice(3, 6)) }

  if (zulu === 'Z' && dash === '-' && hour !== '24' && inRange(wallMs)) rememberSecond(text, wallMs)
  if (zulu !== undefined || sign !== undefined) {
    const hours = Number(offsetHours ?? 0)
    const minutes = Number(offsetMinutes)
    if (hours > 23 || minutes > 59) return null
    const offsetMs = (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
    const at = { epochMs: wall.epochMs - offsetMs, micros: wall.micros }
    return inRange(at.epochMs) ? { kind: 'instant', at } : null
  }
  // A margin of a day at both ends: whether a time is readable must not depend on the zone.
  if (!inRange(wall.epochMs - DAY_MS) || !inRange(wall.epochMs + DAY_MS)) return null
  const epochMs = fromLocal(wall.epochMs, timeZone, serverTime.epochMs)
  return { kind: 'local', at: { epochMs, micros: wall.micros }, wall: formatInstant(wall).slice(0, -1) }
}

/** Wall-clock fields as if they were UTC, or null if they do not exist. 24:00 and second 60 roll over. */
function wallClock(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null {
  if (minute > 59 || second > 60 || hour > 24 || (hour === 24 && (minute > 0 || second > 0))) return null
  const midnight = new Date(0)
  midnight.setUTCFullYear(year, month - 1, day)
  // JavaScript makes February 30 into March 2.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null
  return midnight.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
}

function inRange(epochMs: number): boolean {
  return epochMs >= MIN_MS && epochMs <= MAX_MS
}

/**
 * Zone lookups are slow, and a flood of events falls in the same quarter of an hour, so quarters with a constant offset
 * are cached by zone.
 */
const steadyQuarters = new Map<string, number>()
const MAX_STEADY_QUARTERS = 10_000

function fromLocal(wallMs: number, timeZone: string, nearestMs: number): number {
  const quarter = Math.floor(wallMs / QUARTER_MS) * QUARTER_MS
  const key = `${timeZone} ${quarter}`
  const known = steadyQuarters.get(key)
  if (known !== undefined) return wallMs - known

  const steady = steadyOffset(quarter, timeZone)
  if (steady !== null) {
    if (steadyQuarters.size >= MAX_STEADY_QUARTERS) steadyQuarters.clear()
    steadyQuarters.set(key, steady)
    return wallMs - steady
  }
  return instantsOf(wallMs, timeZone).reduce((best, each) =>
    Math.abs(each - nearestMs) < Math.abs(best - nearestMs) ? each : best,
  )
}

/** Local minus UTC in milliseconds if it is constant over the quarter, otherwise null. */
function steadyOffset(quarterMs: number, timeZone: string): number | null {
  const lastMs = quarterMs + QUARTER_MS - 1
  const [first, firstOther] = instantsOf(quarterMs, timeZone)
  const [last, lastOther] = instantsOf(lastMs, timeZone)
  if (first === undefined || last === undefined || firstOther !== undefined || lastOther !== undefined)
    return null
  return quarterMs - first === lastMs - last ? quarterMs - first : null
}

/** The one or two instants at which clocks in the zone show this time; a skipped time is shifted by the gap. */
function instantsOf(wallMs: number, timeZone: string): readonly number[] {
  const wall = Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime()
  const earlier = wall.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const later = wall.toZonedDateTime(timeZone, { disambiguation: 'later' })
  const skipped = !later.toPlainDateTime().equals(wall)
  if (skipped || earlier.equals(later)) return [later.epochMilliseconds]
  return [earlier.epochMilliseconds, later.epochMilliseconds]
}
