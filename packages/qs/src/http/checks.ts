import type { Log } from '../telemetry/log.ts'

/** Whether one thing works, with what a person should know about it. */
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

/** Connected and subscribed, and heard of within the keep-alive. */
export function brokerCheck(status: () => BrokerStatus): Check {
  return async () => {
    const { isConnected, isPaused, unsettledMessages } = status()
    const inFlight = `${unsettledMessages} messages in flight`
    if (!isConnected) return { ok: false, detail: 'not connected to the broker; see the log' }
    return { ok: true, detail: isPaused ? `paused at the high watermark, ${inFlight}` : inFlight }
  }
}

/** Flow is what readiness is about; the other alarms are told, and events become rows all the same. */
const NOT_READY: ReadonlySet<string> = new Set(['stalled', 'database_refuses'])

/** Everything that is wrong now, as the detail. */
export function alarmCheck(active: () => ReadonlyMap<string, string>): Check {
  return async () => {
    const alarms = [...active()]
    if (alarms.length === 0) return { ok: true, detail: 'none' }
    const ok = !alarms.some(([name]) => NOT_READY.has(name))
    return { ok, detail: alarms.map(([name, text]) => `${name}: ${text}`).join('; ') }
  }
}

/** Probes ask every few seconds. */
const SAY_AGAIN_MS = 60_000

/** A statement that really goes there and back. */
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
        log.warn({ err: error, failures }, '/readyz does not reach the database')
        saidAtMs = start
        failures = 0
      }
      // Everybody may ask, and the message of an error names hosts and roles: it is in the log alone.
      return { ok: false, detail: 'not reached; the log and qs doctor say why' }
    }
  }
}

/** Not having it makes nobody unready: all else of a console works. */
export function liveCheck(problem: () => string | null): Check {
  return async () => ({ ok: true, detail: problem() ?? 'the broker is heard' })
}
