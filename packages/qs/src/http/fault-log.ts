import type { ErrorCode } from '../errors/errors.ts'
import type { Log } from '../telemetry/log.ts'

/** Why a request was answered with 5xx. Plain data, since it crosses a process boundary. */
export interface Fault {
  readonly method: string
  /** The path of the route, without parameters from the client. */
  readonly route: string
  readonly status: number
  /** Of the closed list of errors. */
  readonly code: ErrorCode
  readonly reason: string
  /** Stack of an unexpected error. */
  readonly stack: string | null
}

const SAY_AGAIN_MS = 60_000
/** Maximum number of distinct reasons. */
const MAX_KINDS = 200

/** Logs each kind of 5xx answer at most once a minute, with the number in between: pages poll every few seconds. */
export class FaultLog {
  readonly #log: Log
  readonly #kinds = new Map<string, { saidAtMs: number; unsaid: number }>()

  constructor(log: Log) {
    this.#log = log
  }

  readonly say = ({ method, route, status, code, reason, stack }: Fault): void => {
    const kind = `${status} ${method} ${route} ${reason}`
    const nowMs = performance.now()
    const last = this.#kinds.get(kind)
    if (last !== undefined && nowMs - last.saidAtMs < SAY_AGAIN_MS) {
      last.unsaid++
      return
    }
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
    this.#kinds.set(kind, { saidAtMs: nowMs, unsaid: 0 })
    const fields = {
      method,
      route,
      status,
      code,
      reason,
      ...(stack !== null && { stack }),
      more: last?.unsaid ?? 0,
    }
    // 503 is temporary; 500 needs attention.
    this.#log[status === 503 ? 'warn' : 'error'](fields, `A request was answered with ${status}`)
  }
}
