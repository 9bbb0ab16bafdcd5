/** More or longer values than this are messages: a state has one or two words. */
const [MOST_VALUES, MOST_LETTERS, MOST_WORDS] = [8, 24, 2]

/**
 * Whether the newest texts of a type are states, such as "open" and "closed": two to eight short values that recur. A
 * type with a single value, such as a boot reason, or a log has no states.
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

export interface RecentValue {
  readonly valueNum: number | null
  readonly valueText: string | null
  readonly unit: string | null
}

/**
 * The kind of a series from its newest events, newest first: states as texts, or as zeros and ones without a unit, as
 * true and false are stored; null: no states.
 */
export function stateKind(recent: readonly RecentValue[]): 'texts' | 'numbers' | null {
  const texts = recent.flatMap(({ valueText }) => valueText ?? [])
  if (texts.length > 0) return areStates(texts) ? 'texts' : null
  const [latest] = recent
  const isBit = latest?.valueNum === 0 || latest?.valueNum === 1
  return isBit && latest?.unit === null ? 'numbers' : null
}
