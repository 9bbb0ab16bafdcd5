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

/** Probes come every few seconds, so a repeated failure is logged once a minute. */
const SAY_AGAIN_MS = 60_000

/** Runs a real statement. */
export function databaseCheck(query: () => Promise<unknown>, log: Log): Check {
  let failures = 0
  let saidAtMs = Number.NEGATIVE_INFINITY
  return async () => {
    const start = performance.now()
    try {
      await query()
      return { ok: true, detail: `answered in ${(performance.now() - start).toFixed(1)} ms` }
    } catch (error) {
      failures++
      if (start - saidAtMs >= SAY_AGAIN_MS) {
        log.warn({ err: error, failures }, '/readyz cannot reach the database')
        saidAtMs = start
        failures = 0
      }
      // /readyz is public, and the error message names hosts and roles: it goes to the log only.
      return { ok: false, detail: 'unreachable; see the log and qs doctor' }
    }
  }
}

/** Always ok: without the broker, the rest of the console works. */
export function liveCheck(problem: () => string | null): Check {
  return async () => ({ ok: true, detail: problem() ?? 'connected to the broker' })
}
