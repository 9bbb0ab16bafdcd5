import { BackgroundWork } from '../database/background-work.ts'
import type { DatabaseUrl } from '../endpoints/database-url.ts'
import { logged } from '../errors/reason-of.ts'
import type { Clock } from '../pipeline/clock.ts'
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

const FOLLOW = 'select is_end as "isEnd" from follow_numbers($1)'
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
  readonly #work: BackgroundWork

  constructor({ url, clock, metrics, log }: GapJobOptions) {
    this.#work = new BackgroundWork({
      ...{ url, clock, name: 'qs-gaps', timeoutMs: TIMEOUT_MS },
      step: async (pool) => {
        const startMs = clock.monotonicMs()
        const [step] = await pool.query<{ isEnd: boolean }>(FOLLOW, [MOST_EVENTS])
        if (step?.isEnd === false) return Math.max(MIN_PAUSE_MS, PAUSE * (clock.monotonicMs() - startMs))
        const [totals] = await pool.query<{ missing: number; devices: number }>(TOTALS)
        metrics.missingEvents.set(totals?.missing ?? 0)
        metrics.devicesWithGaps.set(totals?.devices ?? 0)
        return EVERY_MS
      },
      onFailure: (error) => {
        log.warn(
          logged(error),
          'Gaps in the numbers of events could not be looked for; the next try is in a minute',
        )
        return RETRY_MS
      },
    })
  }

  start(): void {
    this.#work.start(FIRST_MS)
  }

  /** Aborts a step in progress, which is rolled back. */
  stop(): Promise<void> {
    return this.#work.stop()
  }
}
