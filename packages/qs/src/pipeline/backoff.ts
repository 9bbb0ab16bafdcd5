/**
 * The wait after a number of consecutive failures: it doubles each time, up to a bound. Half of it is random, so that
 * clients that failed together do not retry together.
 */
export function backoffMs(
  failures: number,
  { minMs, maxMs, random }: { readonly minMs: number; readonly maxMs: number; readonly random: () => number },
): number {
  const ms = Math.min(minMs * 2 ** failures, maxMs)
  return ms / 2 + (random() * ms) / 2
}
