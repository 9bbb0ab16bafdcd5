import type { Alarm } from './alarm.ts'

/** So long a drop is told of; the counter of the broker itself never goes down. */
export const DROPS_SHOWN_MS = 10 * 60_000

/** The broker has dropped messages since we look, for whomever: a queue is full, and full queues lose silently. */
export function dropsAlarm(dropped: () => number | null): Alarm {
  let known: number | null = null
  let latest: { readonly atMs: number; readonly count: number } | null = null
  return {
    name: 'broker_drops',
    check: (nowMs) => {
      const count = dropped()
      // A smaller number is that of a broker that was started again.
      if (count !== null && known !== null && count > known) latest = { atMs: nowMs, count: count - known }
      known = count ?? known
      if (latest === null || nowMs - latest.atMs > DROPS_SHOWN_MS) return null
      return `the broker dropped ${latest.count} messages, of our session or another. Raise max_queued_messages, and see qs doctor`
    },
  }
}
