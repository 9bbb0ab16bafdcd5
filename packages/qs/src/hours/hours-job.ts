import type { DifferingHours } from '../alarms/hours-alarm.ts'
import { BackgroundWork } from '../database/background-work.ts'
import type { QueryPool } from '../database/query-pool.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { type ComparedSeries, compareNext, recountProgress, type Step } from './compare-next.ts'
import { followEvents } from './event-hours.ts'

const EVERY_MS = 5 * 60_000
const FIRST_MS = 20_000
/** How long series are compared with their events at a time; a single series may take longer. */
const COMPARE_MS = 1_000
/**
 * The pause afterwards, as a multiple of that time: a recount works half of the time, later walks one second in five
 * minutes.
 */
const PAUSES = { recount: 1, later: 300 } as const
/** Between two log lines about a recount. */
const SAY_EVERY_MS = 60_000
/** The first run reads all existing events, possibly hundreds of millions. */
const TIMEOUT_MS = 6 * 3_600_000

export interface HoursJobOptions {
  readonly url: DatabaseUrl
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'hoursRecounted' | 'hoursMended'>
  readonly log: Log
}

/**
 * Updates event_hours every five minutes, and walks through the series to compare their hours with their events, on a
 * separate connection. The first walk after an update counts events that earlier versions left out, without long
 * pauses; later walks should find nothing.
 */
export class HoursJob {
  readonly #work: BackgroundWork
  readonly #options: HoursJobOptions
  #followAtMs = 0
  #compareAtMs = 0
  #saidAtMs = -Infinity
  /** Totals of the recount since the start. */
  #recounted = { hours: 0, events: 0 }
  #differing: DifferingHours | null = null

  constructor(options: HoursJobOptions) {
    this.#options = options
    const { url, clock, log } = options
    this.#work = new BackgroundWork({
      ...{ url, clock, name: 'qs-hours', timeoutMs: TIMEOUT_MS },
      step: (pool) => this.#step(pool),
      // Until then charts read the events themselves.
      onFailure: (error) => {
        log.warn(logged(error), 'The numbers by the hour could not be updated')
        this.#followAtMs = this.#compareAtMs = clock.monotonicMs() + EVERY_MS
        return EVERY_MS
      },
    })
  }

  /** The latest series whose hours differed from its events for an unknown reason. */
  get differing(): DifferingHours | null {
    return this.#differing
  }

  start(): void {
    this.#work.start(FIRST_MS)
  }

  /** Aborts work in progress, which is rolled back: it could take minutes. */
  stop(): Promise<void> {
    return this.#work.stop()
  }

  async #step(pool: QueryPool): Promise<number> {
    const { clock } = this.#options
    if (clock.monotonicMs() >= this.#followAtMs) {
      await pool.use(followEvents)
      this.#followAtMs = clock.monotonicMs() + EVERY_MS
    }
    if (clock.monotonicMs() >= this.#compareAtMs) await this.#compare(pool)
    return Math.max(0, Math.min(this.#followAtMs, this.#compareAtMs) - clock.monotonicMs())
  }

  async #compare(pool: QueryPool): Promise<void> {
    const { clock, metrics } = this.#options
    const startMs = clock.monotonicMs()
    const share = await pool.use(async (database) => {
      let step: Step
      do {
        step = await compareNext(database)
        this.#note(step)
      } while (step.kind === 'series' && clock.monotonicMs() - startMs < COMPARE_MS)
      return recountProgress(database)
    })
    metrics.hoursRecounted.set(share)
    const nowMs = clock.monotonicMs()
    const tookMs = Math.max(nowMs - startMs, COMPARE_MS)
    this.#compareAtMs = nowMs + tookMs * (share < 1 ? PAUSES.recount : PAUSES.later)
    if (share < 1) this.#sayProgress(share, nowMs)
  }

  #note(step: Step): void {
    if (step.kind === 'series') this.#noteSeries(step)
    if (step.kind === 'end' && step.wasRecount)
      this.#options.log.info(
        this.#recounted,
        'All hours of event_hours have been compared with their events: charts of months are complete',
      )
  }

  #noteSeries({ deviceId, eventType, mended, lacking, isRecount, unexplained }: ComparedSeries): void {
    const { metrics, log, clock } = this.#options
    if (isRecount) {
      metrics.hoursMended.inc({ found: 'recount' }, mended)
      this.#recounted = { hours: this.#recounted.hours + mended, events: this.#recounted.events + lacking }
    }
    if (unexplained === 0) return
    metrics.hoursMended.inc({ found: 'differing' }, unexplained)
    this.#differing = { deviceId, eventType, hours: unexplained, atMs: clock.monotonicMs() }
    log.error(
      { device: deviceId, type: eventType, hours: unexplained, events: lacking },
      'Numbers by the hour differed from their events and were counted again',
    )
  }

  #sayProgress(share: number, nowMs: number): void {
    if (nowMs - this.#saidAtMs < SAY_EVERY_MS) return
    this.#saidAtMs = nowMs
    this.#options.log.info(
      { percent: Math.floor(100 * share), ...this.#recounted },
      'Counting events that an earlier version left out; until this is complete, charts of months may lack late events',
    )
  }
}
