import { formatInstant, type Instant, instantFromMs } from '@qs-telemetry/protocol'

export const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const
export type TimeUnit = (typeof TIME_UNITS)[number]

const TO_MS: Readonly<Record<TimeUnit, (value: number) => number>> = {
  s: (value) => value * 1000,
  ms: (value) => value,
  us: (value) => value / 1e3,
  ns: (value) => value / 1e6,
}
const NUMBER = /^-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?$/
/** Of a time in the years 0001 to 9999. */
const [MIN_MS, MAX_MS] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/**
 * A Unix time as `ts_device` takes it; any other text as it is. Without a unit its size tells: 1e11 seconds are the year 5138, and
 * 1e11 milliseconds were in March 1973. Digits beyond microseconds are cut off.
 */
export function readTime(text: string, unit: TimeUnit | null): string | number {
  if (!NUMBER.test(text)) return text
  const value = Number(text)
  // As a device sends it: seconds or milliseconds.
  if (unit === null && value >= 0 && value < 1e14) return value
  const at = instantOf(text, unit ?? unitOf(Math.abs(value)))
  return at.epochMs >= MIN_MS && at.epochMs <= MAX_MS ? formatInstant(at) : text
}

function unitOf(size: number): TimeUnit {
  return size < 1e11 ? 's' : size < 1e14 ? 'ms' : size < 1e17 ? 'us' : 'ns'
}

function instantOf(text: string, unit: TimeUnit): Instant {
  // A double has no room for the digits of nanoseconds.
  if (unit === 'ns' && /^-?\d+$/.test(text)) {
    const micros = floorDivide(BigInt(text), 1000n)
    const epochMs = floorDivide(micros, 1000n)
    return { epochMs: Number(epochMs), micros: Number(micros - epochMs * 1000n) }
  }
  return instantFromMs(TO_MS[unit](Number(text)))
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return quotient * by > value ? quotient - 1n : quotient
}
