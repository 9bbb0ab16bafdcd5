/**
 * How long to wait after so many failures in a row: twice as long each time, up to a bound, and half of it by
 * chance, so that those who failed together do not come again together.
 */
export function backoffMs(
  failures: number,
  { minMs, maxMs, random }: { readonly minMs: number; readonly maxMs: number; readonly random: () => number },
): number {
  const ms = Math.min(minMs * 2 ** failures, maxMs)
  return ms / 2 + (random() * ms) / 2
}
