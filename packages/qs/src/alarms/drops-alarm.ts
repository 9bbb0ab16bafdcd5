import type { Alarm } from './alarm.ts'

/** How long a drop is shown; the counter of the broker itself never decreases. */
export const DROPS_SHOWN_MS = 10 * 60_000

const MOSQUITTO_ADVICE = 'Raise max_queued_messages, and see qs doctor'
export const EMBEDDED_ADVICE =
  'A subscriber reads too slowly or does not acknowledge its messages; the log names it'

/** The broker has dropped messages since the first check: a queue is full, and full queues lose silently. */
export function dropsAlarm(dropped: () => number | null, advice = MOSQUITTO_ADVICE): Alarm {
  let known: number | null = null
  let latest: { readonly atMs: number; readonly count: number } | null = null
  return {
    name: 'broker_drops',
    check: (nowMs) => {
      const count = dropped()
      // A smaller number means that the broker was restarted.
      if (count !== null && known !== null && count > known) latest = { atMs: nowMs, count: count - known }
      known = count ?? known
      if (latest === null || nowMs - latest.atMs > DROPS_SHOWN_MS) return null
      return `the broker dropped ${latest.count} messages, for the ingester or another client. ${advice}`
    },
  }
}
