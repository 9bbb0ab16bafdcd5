import type { Drift } from '@qs-telemetry/protocol/api'
import { offset } from '../time/format.ts'
import type { ChartLine } from './chart-line.ts'

const UNITS = [
  [86_400 * 365.25, 'years'],
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const
const MILLISECONDS = [0.001, 'ms'] as const

/** The axis uses a unit from two of it on: 90 s reads more easily than 1.5 min. */
const LEAST = 2

const LOOK = { key: 'offset', label: 'offset', style: 7 } as const

/** How far a clock is ahead, in the unit that fits the largest offset, from ms to years. Null without data. */
export function driftLine({ times, offset: offsets }: Drift): ChartLine | null {
  if (times.length === 0) return null
  const largest = Math.max(...offsets.map(Math.abs))
  const [seconds, unit] = UNITS.find(([each]) => largest >= each * LEAST) ?? MILLISECONDS
  const mean = offsets.map((each) => each / seconds)
  return { ...LOOK, unit, times, mean, textOf: (value) => offset(value * seconds) }
}
