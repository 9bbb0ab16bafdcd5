import type { DatabaseUrl } from '../database/database-url.ts'
import { QueryPool } from '../database/query-pool.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { Log } from '../telemetry/log.ts'
import { followEvents } from './event-hours.ts'

const EVERY_MS = 5 * 60_000
const FIRST_MS = 20_000
/** The first run goes through all that is there, which may be hundreds of millions. */
const TIMEOUT_MS = 6 * 3_600_000

export interface HoursJobOptions {
  readonly url: DatabaseUrl
  readonly clock: Clock
  readonly log: Log
}

/** Keeps event_hours up to date, every five minutes, on a connection of its own. */
export class HoursJob {
  readonly #pool: QueryPool
  readonly #clock: Clock
  readonly #log: Log
  #callOff: CallOff = () => {}
  #isStopped = false

  constructor({ url, clock, log }: HoursJobOptions) {
    this.#pool = new QueryPool(url, { name: 'qs-hours', connections: 1, timeoutMs: TIMEOUT_MS })
    this.#clock = clock
    this.#log = log
  }

  start(): void {
    this.#next(FIRST_MS)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#callOff()
    await this.#pool.end()
  }

  #next(ms: number): void {
    if (!this.#isStopped) this.#callOff = this.#clock.after(ms, () => void this.#run())
  }

  /** A failure is tried again with the next run: until then charts read the events themselves. */
  async #run(): Promise<void> {
    try {
      await this.#pool.use(followEvents)
    } catch (error) {
      if (!this.#isStopped)
        this.#log.warn(
          { reason: (error as Error).message },
          'The numbers by the hour could not be brought up to date',
        )
    }
    this.#next(EVERY_MS)
  }
}
