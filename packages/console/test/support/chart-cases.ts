import type { Series } from '@qs-telemetry/protocol/api'

/** A time span, in seconds from the beginning of the range. */
type Stretch = readonly [from: number, to: number]

/** A series that is hard to draw, and what its picture must show. All points are always visible. */
export interface ChartCase {
  readonly name: string
  readonly times: readonly number[]
  /** Nothing is drawn between these points. Everywhere else the line is unbroken. */
  readonly gaps: readonly Stretch[]
  readonly bucketSeconds?: number
}

export const RANGE_S = 12 * 3_600
export const BEGIN_S = Date.parse('2026-03-02T00:00:00Z') / 1000
const MINUTE_S = 60

/** `count` times from `start` on, one step apart. */
function every(step: number, count: number, start: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => start + index * step)
}

/** Exponentially distributed intervals: many short, some long. The same in each run. */
function onChange(count: number, mean: number): readonly number[] {
  let [time, seed] = [600, 7]
  return Array.from({ length: count }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    time += 1 - mean * Math.log(seed / 2_147_483_647)
    return time
  })
}

/** Five readings, one a second, each half hour. */
function bursts(count: number, start: number): readonly number[] {
  return every(30 * MINUTE_S, count, start).flatMap((wake) => every(1, 5, wake))
}

export const CHART_CASES: readonly ChartCase[] = [
  {
    name: 'every 20 minutes, then every 15 s',
    times: [...every(1_200, 15, 3_600), ...every(15, 120, 3_600 + 15 * 1_200)],
    gaps: [],
  },
  {
    name: 'every 15 s, then every 20 minutes',
    times: [...every(15, 120, 3_600), ...every(1_200, 15, 3_600 + 1_800 + 1_200)],
    gaps: [],
  },
  { name: 'report on change', times: onChange(85, 400), gaps: [] },
  {
    name: 'deep sleep, and an outage of five hours',
    times: [...bursts(8, 600), ...bursts(7, 600 + 30 * MINUTE_S * 17)],
    gaps: [[600 + 30 * MINUTE_S * 7 + 4, 600 + 30 * MINUTE_S * 17]],
  },
  {
    name: 'an interval that changes twice',
    times: [...every(60, 120, 600), ...every(600, 24, 7_800), ...every(10, 720, 22_200)],
    gaps: [],
  },
  { name: 'one point', times: [20_000], gaps: [] },
  { name: 'two points', times: [10_000, 30_000], gaps: [] },
  {
    name: 'an outage, and one reading within it',
    times: [...every(60, 200, 600), 18_000, ...every(60, 200, 28_000)],
    gaps: [
      [600 + 199 * 60, 18_000],
      [18_000, 28_000],
    ],
  },
  {
    name: 'two readings in an outage, closer than a pixel',
    times: [...every(30, 300, 600), 18_000, 18_004, ...every(30, 400, 28_000)],
    gaps: [
      [600 + 299 * 30, 18_000],
      [18_004, 28_000],
    ],
  },
  {
    name: 'buckets, and one of them alone',
    times: [...every(300, 40, 600), 19_200, ...every(300, 50, 27_000)],
    gaps: [
      [600 + 39 * 300, 19_200],
      [19_200, 27_000],
    ],
    bucketSeconds: 300,
  },
  { name: 'two values of the same moment', times: [10_000, 20_000, 20_000, 30_000], gaps: [] },
]

/** An answer of /api/series; the values go up and down slowly. */
export function answerOf({ times, bucketSeconds }: ChartCase): Series {
  const mean = times.map(
    (time, index) => 20 + 3 * Math.sin(time / 4_000) + (times[index - 1] === time ? 2 : 0),
  )
  const spread = bucketSeconds === undefined ? 0 : 1.5
  const line = {
    deviceId: 'kitchen',
    eventType: 'temp',
    unit: '°C',
    times: times.map((time) => BEGIN_S + time),
    mean,
    min: mean.map((value) => value - spread),
    max: mean.map((value) => value + spread),
    events: times.length,
  }
  return { ...RANGE, bucketSeconds: bucketSeconds ?? null, lines: [line] }
}

export const RANGE = {
  from: new Date(BEGIN_S * 1000).toISOString(),
  to: new Date((BEGIN_S + RANGE_S) * 1000).toISOString(),
}
