import type { ChartLine } from './chart-line.ts'
import { isSilence } from './is-silence.ts'

type Column = (number | null)[]

/** Roughly the smallest difference between Unix times in seconds that a double holds. */
const TICK_S = 1e-6

/**
 * Columns for uPlot: times, mean, minimum and maximum; null where the device was silent. uPlot keeps one point per
 * moment when it joins lines, so each further one is a microsecond later.
 */
export function columnsOf({
  times,
  mean,
  min = mean,
  max = mean,
}: ChartLine): [number[], Column, Column, Column] {
  const [xs, means, lows, highs]: [number[], Column, Column, Column] = [[], [], [], []]
  for (const [index, time] of times.entries()) {
    if (index > 0 && isSilence(times, index)) {
      xs.push(((times[index - 1] ?? time) + time) / 2)
      for (const column of [means, lows, highs]) column.push(null)
    }
    xs.push(Math.max(time, (xs.at(-1) ?? Number.NEGATIVE_INFINITY) + TICK_S))
    means.push(mean[index] ?? null)
    lows.push(min[index] ?? null)
    highs.push(max[index] ?? null)
  }
  return [xs, means, lows, highs]
}
