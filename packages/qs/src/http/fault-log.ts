import type { Log } from '../telemetry/log.ts'

/** Why a request was answered with 5xx. It crosses a process boundary, so it is data. */
export interface Fault {
  readonly method: string
  /** The path of the route, without what the client filled in. */
  readonly route: string
  readonly status: number
  readonly reason: string
  /** Of an error that nobody expected. */
  readonly stack: string | null
}

const SAY_AGAIN_MS = 60_000
/** Reasons that are told apart. */
const MAX_KINDS = 200

/** One log line for each kind of 5xx answer a minute, with the number of those in between: a page asks every few seconds. */
export class FaultLog {
  readonly #log: Log
  readonly #kinds = new Map<string, { saidAtMs: number; unsaid: number }>()

  constructor(log: Log) {
    this.#log = log
  }

  readonly say = ({ method, route, status, reason, stack }: Fault): void => {
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
      reason,
      ...(stack !== null && { stack }),
      more: last?.unsaid ?? 0,
    }
    // 503 passes by itself; after 500 a person is needed.
    this.#log[status === 503 ? 'warn' : 'error'](fields, `A request was answered with ${status}`)
  }
}
