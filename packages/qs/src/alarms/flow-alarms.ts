import type { Accounting } from '../pipeline/accounting.ts'
import type { Alarm } from './alarm.ts'

export interface FlowReadings {
  readonly accounting: Accounting
  readonly status: () => {
    readonly unsettledMessages: number
    readonly isPaused: boolean
  }
}

/** Longer than a failover, shorter than an operator would wait. */
export const STALLED_MS = 30_000
export const PAUSED_MS = 120_000

/** Messages are in flight but nothing is committed: PostgreSQL is unavailable, or something hangs. */
export function stalledAlarm({ accounting, status }: FlowReadings): Alarm {
  let commits = -1
  let sinceMs = 0
  return {
    name: 'stalled',
    check: (nowMs) => {
      const { unsettledMessages } = status()
      if (unsettledMessages === 0 || accounting.commits !== commits) {
        commits = accounting.commits
        sinceMs = nowMs
        return null
      }
      const ms = nowMs - sinceMs
      if (ms < STALLED_MS) return null
      return `nothing was committed for ${seconds(ms)} with ${unsettledMessages} messages in flight. Is PostgreSQL running? See the log, and qs doctor`
    },
  }
}

/** Reading stays paused: events arrive faster than PostgreSQL stores them, and wait at the broker. */
export function pausedAlarm({ status }: FlowReadings): Alarm {
  let sinceMs: number | null = null
  return {
    name: 'paused',
    check: (nowMs) => {
      if (!status().isPaused) sinceMs = null
      else sinceMs ??= nowMs
      if (sinceMs === null || nowMs - sinceMs < PAUSED_MS) return null
      return `reading has been paused for ${seconds(nowMs - sinceMs)}: messages wait at the broker because PostgreSQL is too slow. Check its load and its disk`
    },
  }
}

/** PostgreSQL is reachable but refuses the ingester's login or statements: events wait until this is fixed. */
export function refusedAlarm(refusal: () => string | null): Alarm {
  return { name: 'database_refuses', check: refusal }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
