import type { Alarm } from './alarm.ts'

export interface QueueReadings {
  /** Messages that the broker keeps for sessions; null: it does not say. */
  readonly waiting: () => number | null
  readonly status: () => { readonly unsettledMessages: number; readonly isPaused: boolean }
}

/** Sessions of sleeping boards hold some; the queue of a client that never answers passes this within a minute. */
export const FOREIGN_MESSAGES = 10_000
/** What waited for this ingester is taken by then, and the broker counts every ten seconds only. */
export const FOREIGN_MS = 120_000

/** The broker keeps many messages and this ingester, which takes all it gets, has few: they wait for somebody else. */
export function queueAlarm({ waiting, status }: QueueReadings): Alarm {
  let sinceMs: number | null = null
  let least = 0
  return {
    name: 'broker_queue',
    check: (nowMs) => {
      const { unsettledMessages, isPaused } = status()
      const foreign = isPaused ? 0 : (waiting() ?? 0) - unsettledMessages
      // A queue that shrinks is one that somebody reads.
      if (foreign < FOREIGN_MESSAGES || (sinceMs !== null && foreign < least)) sinceMs = null
      else sinceMs ??= nowMs
      least = foreign
      if (sinceMs === null || nowMs - sinceMs < FOREIGN_MS) return null
      return `the broker keeps ${foreign} messages that are not for this ingester. A client with a durable session does not take its messages: see the broker's log, and delete its account or its session`
    },
  }
}
