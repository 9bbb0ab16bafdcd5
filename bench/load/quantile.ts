/**
 * The smallest value that at least `share` of all are not above (nearest rank), null of none: it never makes up a
 * latency that nobody had.
 *
 * @param sorted ascending
 */
export function quantile(sorted: ArrayLike<number>, share: number): number | null {
  if (sorted.length === 0) return null
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}
