import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Alarm } from './alarm.ts'

export interface AlarmsOptions {
  readonly alarms: readonly Alarm[]
  readonly metrics: Pick<Metrics, 'alarms'>
  readonly log: Log
}

const INTERVAL_MS = 5_000

/**
 * Checks all alarms every few seconds and on request, and reports each in three places: in the log when it begins and when
 * it ends, in the metric `qs_alarm`, and in the details of /readyz.
 */
export class Alarms {
  readonly #options: AlarmsOptions
  readonly #active = new Map<string, string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: AlarmsOptions) {
    this.#options = options
    for (const { name } of options.alarms) options.metrics.alarms.set({ alarm: name }, 0)
  }

  start(): void {
    this.#timer = setInterval(() => this.look(performance.now()), INTERVAL_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Checks all alarms and returns the texts of active ones, by name. */
  look(nowMs: number): ReadonlyMap<string, string> {
    const { alarms, metrics, log } = this.#options
    for (const { name, check } of alarms) {
      const text = check(nowMs)
      const wasActive = this.#active.has(name)
      if (text === null) this.#active.delete(name)
      else this.#active.set(name, text)
      if (wasActive === (text !== null)) continue
      metrics.alarms.set({ alarm: name }, Number(text !== null))
      if (text === null) log.info({ alarm: name }, 'Alarm ended')
      else log.error({ alarm: name }, `Alarm: ${text}`)
    }
    return this.#active
  }
}
