/**
 * Index of the point nearest to a moment; null if the line has no points. Lines of several devices rarely have points
 * at the same moment, so each is read at its own.
 *
 * @param times ascending
 */
export function nearestPoint(times: readonly number[], time: number): number | null {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) < time) low = middle + 1
    else high = middle
  }
  const [before, after] = [times[low - 1], times[low]]
  if (after === undefined) return before === undefined ? null : low - 1
  return before !== undefined && time - before < after - time ? low - 1 : low
}
