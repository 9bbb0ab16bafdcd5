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

/** A statement that really goes there and back. */
export function databaseCheck(query: () => Promise<unknown>): Check {
  return async () => {
    const start = performance.now()
    try {
      await query()
      return { ok: true, detail: `answered in ${(performance.now() - start).toFixed(1)} ms` }
    } catch {
      // Everybody may ask, and the message of an error names hosts and roles.
      return { ok: false, detail: 'not reached; qs doctor says why' }
    }
  }
}

/** Not having it makes nobody unready: all else of a console works. */
export function liveCheck(problem: () => string | null): Check {
  return async () => ({ ok: true, detail: problem() ?? 'the broker is heard' })
}
