/**
 * A point in time with microseconds, the resolution of PostgreSQL's timestamptz. Two numbers rather than a
 * bigint: half the cost on the path of every event, and milliseconds are what Date and Intl take.
 */
export interface Instant {
  /** Milliseconds since 1970-01-01T00:00:00Z, an integer, negative before it. */
  readonly epochMs: number
  /** Microseconds within that millisecond, 0 to 999. */
  readonly micros: number
}

/** The instant of a fractional number of milliseconds since the epoch, rounded to microseconds. */
export function instantFromMs(ms: number): Instant {
  const epochMs = Math.floor(ms)
  const micros = Math.round((ms - epochMs) * 1000)
  return micros === 1000 ? { epochMs: epochMs + 1, micros: 0 } : { epochMs, micros }
}

/** Texts of seconds: a flood needs the same few thousands of times, server and device times in turn. */
const secondTexts = new Map<number, string>()
const MAX_SECOND_TEXTS = 256

/** RFC 3339 in UTC with six digits: `2026-11-23T18:00:00.123456Z`. Years 0001 to 9999. */
export function formatInstant({ epochMs, micros }: Instant): string {
  const second = Math.floor(epochMs / 1000)
  const fraction = (epochMs - second * 1000) * 1000 + micros
  return `${secondTexts.get(second) ?? formatSecond(second)}${String(fraction).padStart(6, '0')}Z`
}

function formatSecond(second: number): string {
  const text = new Date(second * 1000).toISOString().slice(0, 20)
  if (secondTexts.size === MAX_SECOND_TEXTS) secondTexts.clear()
  secondTexts.set(second, text)
  return text
}
