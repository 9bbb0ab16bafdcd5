import type { Instant } from '@qs-telemetry/protocol'

/** How long before it was sent an event was measured, in milliseconds; null where it does not say. */
export type EventAge = number | 'unusable' | null

/** @param maxMs an age above it is a mistake, such as a counter that wrapped, just as a clock that is so far behind */
export function readAge(value: unknown, maxMs: number): EventAge {
  if (value === undefined || value === null) return null
  return typeof value === 'number' && value >= 0 && value <= maxMs ? value : 'unusable'
}

/** An instant so many milliseconds earlier, to the microsecond. */
export function earlier({ epochMs, micros }: Instant, ageMs: number): Instant {
  const left = micros - Math.round(ageMs * 1000)
  const wholeMs = Math.floor(left / 1000)
  return { epochMs: epochMs + wholeMs, micros: left - wholeMs * 1000 }
}
