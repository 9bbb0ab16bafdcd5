/** Together with a connect timeout of three seconds they bound the recovery after an outage: five seconds. */
const [MIN_MS, MAX_MS] = [100, 1_000]

/**
 * The pause after a number of consecutive failures: it doubles each time, up to a second. Half of it is random, so that
 * clients that failed together do not retry together.
 *
 * @param triedMs how long the latest attempt took; a slow one counts as part of the pause
 */
export function pauseMs(
  failures: number,
  { triedMs, random }: { readonly triedMs: number; readonly random: () => number },
): number {
  const ms = Math.min(MIN_MS * 2 ** failures, MAX_MS)
  return Math.max(MIN_MS, ms / 2 + (random() * ms) / 2 - triedMs)
}
