/**
 * The smallest value that at least `share` of all do not exceed (nearest rank); null if there are none. The result is
 * always one of the values.
 *
 * @param sorted ascending
 */
export function quantile(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
