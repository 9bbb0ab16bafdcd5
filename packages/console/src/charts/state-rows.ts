import type { Line, State } from '@qs-telemetry/protocol/api'
import { isSameSeries } from './named-lines.ts'
import { changesOfLine, isStateLine, type StateRow, spansOf } from './states.ts'

export interface StateAnswers {
  readonly lines: readonly Line[]
  /** Width of a point of `lines`. */
  readonly bucketSeconds: number | null
  readonly states: readonly State[]
}

interface Look {
  readonly fromMs: number
  readonly toMs: number
  readonly labelOf: (series: Pick<State, 'deviceId' | 'eventType'>) => string
}

/**
 * A row for each series that is a state: one with numbers in the range if all are zeros and ones, one without if
 * /api/states lists it. A series without a known state in the range has no row.
 */
export function stateRows(answers: StateAnswers, { fromMs, toMs, labelOf }: Look): readonly StateRow[] {
  const { lines, bucketSeconds, states } = answers
  const withNumbers = lines.filter(isStateLine)
  const without = states.filter((state) => !lines.some((line) => isSameSeries(line, state)))
  return [...withNumbers, ...without]
    .map((series) => {
      const { times = [], texts = [] } = states.find((each) => isSameSeries(each, series)) ?? {}
      const known = times.map((time, index) => ({ time, text: texts[index] ?? null }))
      const numbers = 'mean' in series ? changesOfLine(series, bucketSeconds) : []
      return {
        key: JSON.stringify([series.deviceId, series.eventType]),
        label: labelOf(series),
        spans: spansOf([...known, ...numbers], fromMs / 1000, Math.min(toMs, Date.now()) / 1000),
      }
    })
    .filter(({ spans }) => spans.length > 0)
    .sort((a, b) => (a.label < b.label ? -1 : 1))
}
