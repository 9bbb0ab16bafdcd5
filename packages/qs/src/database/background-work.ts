import type { DatabaseUrl } from '../endpoints/database-url.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import { QueryPool, type QueryPoolOptions } from './query-pool.ts'

export interface BackgroundWorkOptions extends Omit<QueryPoolOptions, 'connections'> {
  readonly url: DatabaseUrl
  readonly clock: Pick<Clock, 'after'>
  /** One round. @returns the milliseconds until the next */
  readonly step: (pool: QueryPool) => Promise<number>
  /** Says why a round failed. @returns the milliseconds until the next */
  readonly onFailure: (error: unknown) => number
}

/** Work that repeats beside the ingest, on a connection of its own, until it is stopped. */
export class BackgroundWork {
  readonly #pool: QueryPool
  readonly #options: BackgroundWorkOptions
  #callOff: CallOff = () => {}
  #isStopped = false

  constructor(options: BackgroundWorkOptions) {
    this.#options = options
    this.#pool = new QueryPool(options.url, { ...options, connections: 1 })
  }

  /** @param ms milliseconds until the first round */
  start(ms: number): void {
    this.#next(ms)
  }

  /** Aborts a round in progress, which PostgreSQL rolls back: it could take minutes. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#callOff()
    await this.#pool.abort()
  }

  #next(ms: number): void {
    if (!this.#isStopped) this.#callOff = this.#options.clock.after(ms, () => void this.#run())
  }

  async #run(): Promise<void> {
    const { step, onFailure } = this.#options
    try {
      this.#next(await step(this.#pool))
    } catch (error) {
      if (!this.#isStopped) this.#next(onFailure(error))
    }
  }
}
