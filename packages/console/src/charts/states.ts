import type { Line } from '@qs-telemetry/protocol/api'

/** The state from this moment on; a null text means unknown. */
export interface StateChange {
  /** Unix seconds. */
  readonly time: number
  readonly text: string | null
}

/** A state and how long it lasted. */
export interface StateSpan {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** One series in a chart of states. */
export interface StateRow {
  readonly key: string
  readonly label: string
  readonly spans: readonly StateSpan[]
}

const isBit = (value: number) => value === 0 || value === 1

/** A switch: a line without a unit whose values are all 0 or 1, as booleans are stored. */
export function isStateLine({ unit, min, max }: Pick<Line, 'unit' | 'min' | 'max'>): boolean {
  return unit === null && min.every(isBit) && max.every(isBit)
}

/** The changes of a line of zeros and ones. After a bucket with both, the state is unknown. */
export function changesOfLine(
  { times, min, max }: Line,
  bucketSeconds: number | null,
): readonly StateChange[] {
  return times.flatMap((time, index): readonly StateChange[] => {
    if (min[index] === max[index]) return [{ time, text: String(min[index]) }]
    return [
      { time, text: '0 and 1' },
      { time: time + (bucketSeconds ?? 0), text: null },
    ]
  })
}

/** The values of all rows of a chart, in the order of their colours: the same value has the same colour in each row. */
export function stateValues(texts: Iterable<string>): readonly string[] {
  // Off has no colour; on has the first.
  return [...new Set(texts)]
    .filter((text) => text !== '0')
    .sort((a, b) => Number(b === '1') - Number(a === '1') || (a < b ? -1 : 1))
}

/**
 * @param changes in any order; of those before `from` only the last counts
 * @param to end of the last state
 */
export function spansOf(changes: readonly StateChange[], from: number, to: number): readonly StateSpan[] {
  const spans: StateSpan[] = []
  const sorted = [...changes].sort((a, b) => a.time - b.time)
  for (const [index, { time, text }] of sorted.entries()) {
    const [begin, end] = [Math.max(from, time), Math.min(to, sorted[index + 1]?.time ?? to)]
    if (text === null || end <= begin) continue
    const last = spans.at(-1)
    if (last?.text === text && last.to === begin) spans[spans.length - 1] = { ...last, to: end }
    else spans.push({ from: begin, to: end, text })
  }
  return spans
}
