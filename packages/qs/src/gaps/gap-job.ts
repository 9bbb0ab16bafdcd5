import { QueryPool } from '../database/query-pool.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

const FIRST_MS = 2_000
/** How long a gap may go unnoticed, and a number that came late still count as missing. */
const EVERY_MS = 15_000
/** About 40 ms. */
const MOST_EVENTS = 10_000
/** The pause after a step that leaves work, as a multiple of its time: a flood is read later, not with it. */
const PAUSE = 40
const MIN_PAUSE_MS = 20
const RETRY_MS = 60_000
const TIMEOUT_MS = 10 * 60_000

const FOLLOW = 'select events::int, is_end as "isEnd" from follow_numbers($1)'
const TOTALS = `
select coalesce(sum(missing), 0)::float8 as missing, (count(*) filter (where missing > 0))::int as devices from device_gaps`

export interface GapJobOptions {
  readonly url: DatabaseUrl
  readonly clock: Clock
  readonly metrics: Pick<Metrics, 'missingEvents' | 'devicesWithGaps'>
  readonly log: Log
}

/**
 * Reads which numbers have come, step by step, on a separate connection. Each step is one transaction that removes what it has
 * read from received_pending, so that the work goes on there after any failure; several ingesters take turns.
 */
export class GapJob {
  readonly #pool: QueryPool
  readonly #options: GapJobOptions
  #callOff: CallOff = () => {}
  #isStopped = false

  constructor(options: GapJobOptions) {
    this.#options = options
    this.#pool = new QueryPool(options.url, { name: 'qs-gaps', connections: 1, timeoutMs: TIMEOUT_MS })
  }

  start(): void {
    this.#next(FIRST_MS)
  }

  /** Aborts a step in progress, which is rolled back. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#callOff()
    await this.#pool.abort()
  }

  #next(ms: number): void {
    if (!this.#isStopped) this.#callOff = this.#options.clock.after(ms, () => void this.#run())
  }

  async #run(): Promise<void> {
    const { clock, metrics, log } = this.#options
    const startMs = clock.monotonicMs()
    try {
      const [step] = await this.#pool.query<{ events: number; isEnd: boolean }>(FOLLOW, [MOST_EVENTS])
      if (step?.isEnd === false)
        return this.#next(Math.max(MIN_PAUSE_MS, PAUSE * (clock.monotonicMs() - startMs)))
      const [totals] = await this.#pool.query<{ missing: number; devices: number }>(TOTALS)
      metrics.missingEvents.set(totals?.missing ?? 0)
      metrics.devicesWithGaps.set(totals?.devices ?? 0)
      this.#next(EVERY_MS)
    } catch (error) {
      if (!this.#isStopped)
        log.warn(
          logged(error),
          'Gaps in the numbers of events could not be looked for; the next try is in a minute',
        )
      this.#next(RETRY_MS)
    }
  }
}
