/** The middle value; for an even number of values, the mean of the two in the middle. null if there are none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** Ignores missing values; null if there are none left. */
export function spreadOf(values: readonly (number | null | undefined)[]): Spread | null {
  const there = values.filter((value) => value !== null && value !== undefined)
  const middle = median(there)
  return middle === null ? null : { median: middle, least: Math.min(...there), most: Math.max(...there) }
}
