import type { Line, StoredEvent } from '@qs-telemetry/protocol/api'

/** From this moment on it is so; null: from here on nothing is known. */
export interface StateChange {
  /** Unix seconds. */
  readonly time: number
  readonly text: string | null
}

/** What was a while. */
export interface StateSpan {
  readonly from: number
  readonly to: number
  readonly text: string
}

const isBit = (value: number) => value === 0 || value === 1

/** A switch: a line without a unit that has no other values than 0 and 1, as true and false are stored. */
export function isStateLine({ unit, min, max }: Pick<Line, 'unit' | 'min' | 'max'>): boolean {
  return unit === null && min.every(isBit) && max.every(isBit)
}

/** More values than this, or longer ones, are messages: a state has one word or two. */
const [MOST_VALUES, MOST_LETTERS, MOST_WORDS] = [8, 24, 2]

/**
 * Whether the newest texts of a type are states, as "open" and "closed" are: two to eight short values that recur. A type with one
 * value, as a boot that says why, and a log are moments and no states.
 */
export function areStates(texts: readonly string[]): boolean {
  const values = new Set(texts)
  return (
    values.size >= 2 &&
    values.size <= MOST_VALUES &&
    values.size < texts.length &&
    texts.every((text) => text.length <= MOST_LETTERS && text.trim().split(/\s+/).length <= MOST_WORDS)
  )
}

/** The newest events of a series whose range holds no number: of its texts, and of all of them the last one. */
export interface NewestEvents {
  readonly texts: readonly Pick<StoredEvent, 'valueText'>[]
  readonly latest: Pick<StoredEvent, 'valueNum' | 'unit'> | undefined
}

/** What its bars are made of; null: it is no state. Texts go first, and without them the latest number says what it is. */
export function stateKind({ texts, latest }: NewestEvents): 'texts' | 'numbers' | null {
  if (texts.length > 0) return areStates(texts.map(({ valueText }) => valueText ?? '')) ? 'texts' : null
  const values = [latest?.valueNum ?? -1]
  return isStateLine({ unit: latest?.unit ?? null, min: values, max: values }) ? 'numbers' : null
}

/** Of a series whose range holds no number. */
export function emptyLine(deviceId: string, eventType: string): Line {
  return { deviceId, eventType, unit: null, times: [], min: [], max: [], mean: [], events: 0 }
}

/** Of a line of zeros and ones. Of a bucket with both only the bucket is known, and not what came after it. */
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
  // Off has no colour, and on has the first.
  return [...new Set(texts)]
    .filter((text) => text !== '0')
    .sort((a, b) => Number(b === '1') - Number(a === '1') || (a < b ? -1 : 1))
}

/**
 * @param changes in any order; of those before `from` the last one counts
 * @param to the last state goes on until then
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
