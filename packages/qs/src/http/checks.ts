import type { Worker } from '../database/citus-workers.ts'
import type { Log } from '../telemetry/log.ts'

/** Whether one component works, with details for the operator. */
export interface CheckResult {
  readonly ok: boolean
  readonly detail: string
}

export type Check = () => Promise<CheckResult>

export interface BrokerStatus {
  readonly isConnected: boolean
  readonly isPaused: boolean
  readonly unsettledMessages: number
}

/** Connected and subscribed, with traffic within the keep-alive. */
export function brokerCheck(status: () => BrokerStatus): Check {
  return async () => {
    const { isConnected, isPaused, unsettledMessages } = status()
    const inFlight = `${unsettledMessages} messages in flight`
    if (!isConnected) return { ok: false, detail: 'not connected to the broker; see the log' }
    return { ok: true, detail: isPaused ? `paused at the high watermark, ${inFlight}` : inFlight }
  }
}

/** Readiness means that events flow; the other alarms are only reported, since events still become rows. */
const NOT_READY: ReadonlySet<string> = new Set(['stalled', 'database_refuses', 'unheard'])

/** Reports all active alarms as the detail. */
export function alarmCheck(active: () => ReadonlyMap<string, string>): Check {
  return async () => {
    const alarms = [...active()]
    if (alarms.length === 0) return { ok: true, detail: 'none' }
    const ok = !alarms.some(([name]) => NOT_READY.has(name))
    return { ok, detail: alarms.map(([name, text]) => `${name}: ${text}`).join('; ') }
  }
}

/** Probes come every few seconds, so a failure that is repeated is logged once a minute. */
const SAY_AGAIN_MS = 60_000

/**
 * Runs a real statement, for all probes that come until it ends: a silent worker of Citus makes it slow, and other queries
 * need the connection.
 *
 * @param query - returns the workers of Citus that do not answer. Without one of them no batch commits.
 */
export function databaseCheck(query: () => Promise<readonly Worker[]>, log: Log): Check {
  let failures = 0
  let said = ''
  let saidAtMs = Number.NEGATIVE_INFINITY
  let running: Promise<CheckResult> | null = null
  /** /readyz is public, and what is wrong names hosts and roles: it goes to the log only. */
  const warn = (details: object, message: string) => {
    failures++
    if (message === said && performance.now() - saidAtMs < SAY_AGAIN_MS) return
    log.warn({ ...details, failures }, message)
    said = message
    saidAtMs = performance.now()
    failures = 0
  }
  const look = async (): Promise<CheckResult> => {
    const start = performance.now()
    try {
      const silent = await query()
      if (silent.length === 0)
        return { ok: true, detail: `answered in ${(performance.now() - start).toFixed(1)} ms` }
      warn(
        { workers: silent },
        'The coordinator of Citus cannot reach a worker: batches with events for it wait',
      )
      const ids = silent.map(({ id }) => id).join(', ')
      return {
        ok: false,
        detail: `no answer from worker ${ids} of Citus (nodeid); see the log and qs doctor`,
      }
    } catch (error) {
      warn({ err: error }, '/readyz cannot reach the database')
      return { ok: false, detail: 'unreachable; see the log and qs doctor' }
    }
  }
  return () => {
    running ??= look().finally(() => {
      running = null
    })
    return running
  }
}

/** Always ok: without the broker, the rest of the console works. */
export function liveCheck(problem: () => string | null): Check {
  return async () => ({ ok: true, detail: problem() ?? 'connected to the broker' })
}
