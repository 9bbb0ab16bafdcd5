/** A line as the charts draw it. */
export interface ChartLine {
  readonly label: string
  readonly unit: string | null
  /** Unix seconds, ascending. */
  readonly times: readonly number[]
  readonly mean: readonly number[]
  /** Absent: every point is one value. */
  readonly min?: readonly number[]
  readonly max?: readonly number[]
}

export interface Annotation {
  /** Unix seconds. */
  readonly time: number
  readonly text: string
}

type Column = (number | null)[]

/** So much longer than usual, and it is a silence and no line. */
const GAP = 4

/** A switch: it keeps its value until the next event says otherwise. */
export function isSwitch({ mean, min, max }: ChartLine): boolean {
  return [mean, min ?? mean, max ?? mean].every((column) =>
    column.every((value) => value === 0 || value === 1),
  )
}

/** Columns of uPlot: times, then for each line mean, least, greatest; a null where it was silent. */
export function columnsOf(line: ChartLine): [number[], Column, Column, Column] {
  const { times, mean, min, max } = line
  const allowed = isSwitch(line) ? Number.POSITIVE_INFINITY : usual(times) * GAP
  const out: [number[], Column, Column, Column] = [[], [], [], []]
  for (const [index, time] of times.entries()) {
    const before = times[index - 1]
    if (before !== undefined && time - before > allowed) {
      out[0].push((before + time) / 2)
      for (const column of [out[1], out[2], out[3]]) column.push(null)
    }
    out[0].push(time)
    out[1].push(mean[index] ?? null)
    out[2].push((min ?? mean)[index] ?? null)
    out[3].push((max ?? mean)[index] ?? null)
  }
  return out
}

/** The median distance of two points. */
function usual(times: readonly number[]): number {
  const distances = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  distances.sort((a, b) => a - b)
  return distances[Math.floor(distances.length / 2)] ?? Number.POSITIVE_INFINITY
}

const FOUR_DIGITS = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 4 })
const SIX_DIGITS = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 6 })

/** Few digits where they say enough. */
export function numberText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const size = Math.abs(value)
  if (size !== 0 && (size < 0.001 || size >= 1e9)) return value.toExponential(2).replace(/-/g, '−')
  const digits = size >= 1000 ? SIX_DIGITS : FOUR_DIGITS
  return digits.format(value).replace('-', '−')
}
