import type { Alarm } from './alarm.ts'

export interface QueueReadings {
  /** Messages that the broker keeps for sessions; null if unknown. */
  readonly waiting: () => number | null
  readonly status: () => { readonly unsettledMessages: number; readonly isPaused: boolean }
}

/** Sessions of sleeping boards hold fewer; the queue of a client that never answers exceeds this within a minute. */
export const FOREIGN_MESSAGES = 10_000
/** By then the ingester has taken its own messages, and the broker publishes counts only every ten seconds. */
export const FOREIGN_MS = 120_000

/** The broker keeps many messages that are not for this ingester: they wait for another client. */
export function queueAlarm({ waiting, status }: QueueReadings): Alarm {
  let sinceMs: number | null = null
  let least = 0
  return {
    name: 'broker_queue',
    check: (nowMs) => {
      const { unsettledMessages, isPaused } = status()
      const foreign = isPaused ? 0 : (waiting() ?? 0) - unsettledMessages
      // A shrinking queue is being read.
      if (foreign < FOREIGN_MESSAGES || (sinceMs !== null && foreign < least)) sinceMs = null
      else sinceMs ??= nowMs
      least = foreign
      if (sinceMs === null || nowMs - sinceMs < FOREIGN_MS) return null
      return `the broker keeps ${foreign} messages that are not for this ingester. A client with a durable session does not acknowledge its messages: see the broker's log, and delete its account or session`
    },
  }
}
