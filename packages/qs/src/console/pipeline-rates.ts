import type { Accounting } from '../pipeline/accounting.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Metrics } from '../telemetry/metrics.ts'

interface Beat {
  readonly atMs: number
  readonly stored: number
  /** Cumulative number of commits by upper bound of the histogram bucket. */
  readonly commits: ReadonlyMap<number, number>
}

const [EVERY_MS, KEPT] = [2_000, 450]
/** Covers three events of a device that sends every 20 seconds. */
const RATE_MS = 60_000
const LATENCY_MS = 60_000

/** The pipeline counters of the last 15 minutes, so that a page can show a rate at once. */
export class PipelineRates {
  readonly #accounting: Accounting
  readonly #metrics: Metrics
  readonly #beats: Beat[] = []
  #callOff: CallOff = () => {}

  constructor(accounting: Accounting, metrics: Metrics) {
    this.#accounting = accounting
    this.#metrics = metrics
  }

  start(clock: Clock): void {
    const beat = () => void this.#beat()
    beat()
    this.#callOff = clock.every(EVERY_MS, beat)
  }

  stop(): void {
    this.#callOff()
  }

  /** Events stored per second, and the number of seconds measured: less than a minute after a start. */
  get rate(): { readonly eventsPerSecond: number; readonly rateSeconds: number } {
    const last = this.#beats.at(-1)
    const first = this.#before(RATE_MS)
    if (last === undefined || first === undefined || last === first)
      return { eventsPerSecond: 0, rateSeconds: RATE_MS / 1000 }
    const seconds = (last.atMs - first.atMs) / 1000
    return { eventsPerSecond: (last.stored - first.stored) / seconds, rateSeconds: Math.round(seconds) }
  }

  /** Quantile of the commit time in the last minute, in milliseconds; null if there were no commits. */
  commitMs(share: number): number | null {
    return quantile(this.#before(LATENCY_MS), this.#beats.at(-1), share)
  }

  /** The same over the whole kept period, one point per 30 seconds. */
  commitHistory(share: number): readonly { readonly at: string; readonly p95: number | null }[] {
    const step = 15
    const points = []
    for (let index = step; index < this.#beats.length; index += step) {
      const beat = this.#beats[index]
      const p95 = quantile(this.#beats[index - step], beat, share)
      points.push({ at: new Date(beat?.atMs ?? 0).toISOString(), p95 })
    }
    return points
  }

  async #beat(): Promise<void> {
    const { values } = await this.#metrics.commitSeconds.get()
    const buckets = values.flatMap(({ labels, value, metricName }) =>
      metricName?.endsWith('_bucket') ? [[Number(labels.le ?? 0), value] as const] : [],
    )
    const commits = new Map(
      buckets.map(([le, count]) => [Number.isNaN(le) ? Number.POSITIVE_INFINITY : le, count]),
    )
    this.#beats.push({ atMs: Date.now(), stored: this.#accounting.stored, commits })
    if (this.#beats.length > KEPT) this.#beats.shift()
  }

  #before(ms: number): Beat | undefined {
    const last = this.#beats.at(-1)
    return last === undefined ? undefined : this.#beats.find(({ atMs }) => last.atMs - atMs <= ms)
  }
}

/** Linear within a bucket, as in Prometheus. */
function quantile(from: Beat | undefined, to: Beat | undefined, share: number): number | null {
  if (from === undefined || to === undefined) return null
  const counts = [...to.commits].map(([le, count]) => [le, count - (from.commits.get(le) ?? 0)] as const)
  const total = counts.at(-1)?.[1] ?? 0
  if (total === 0) return null
  const wanted = share * total
  let [below, lower] = [0, 0]
  for (const [le, count] of counts) {
    if (count >= wanted) {
      if (!Number.isFinite(le)) return lower * 1000
      return (lower + (le - lower) * ((wanted - below) / (count - below))) * 1000
    }
    below = count
    lower = le
  }
  return lower * 1000
}
