import type { Instant } from '@qs-telemetry/protocol'

/** How long before sending an event was measured, in milliseconds; null if not given. */
export type EventAge = number | 'unusable' | null

/** @param maxMs a larger age is an error, such as a wrapped counter, just like a clock that far behind */
export function readAge(value: unknown, maxMs: number): EventAge {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && value >= 0 && value <= maxMs ? value : 'unusable'
}

/** The instant `ageMs` milliseconds earlier, to the microsecond. */
export function earlier({ epochMs, micros }: Instant, ageMs: number): Instant {
  const left = micros - Math.round(ageMs * 1000)
  const wholeMs = Math.floor(left / 1000)
  return { epochMs: epochMs + wholeMs, micros: left - wholeMs * 1000 }
}
