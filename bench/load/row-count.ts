import { Client } from 'pg'
import type { Confirmations } from './confirmations.ts'

export interface RowCountOptions {
  readonly url: string
  readonly eventsPerMessage: number
  readonly onProgress: () => void
}

/** The pause after a count, in multiples of its duration: counting takes five per cent of a core at most. */
const PAUSE_FACTOR = 20
const LEAST_PAUSE_MS = 20

/** For subjects without device acks: an event has arrived when its row exists. Polls, and so is a little late. */
export class RowCount implements Confirmations {
  readonly #options: RowCountOptions
  readonly #client: Client
  #timer: NodeJS.Timeout | null = null
  #expected = 0
  #confirmed = 0
  #failure: string | null = null

  private constructor(options: RowCountOptions) {
    this.#options = options
    this.#client = new Client({ connectionString: options.url, connectionTimeoutMillis: 10_000 })
    this.#client.on('error', (error) => this.#fail(error))
  }

  static async start(options: RowCountOptions): Promise<RowCount> {
    const count = new RowCount(options)
    await count.#client.connect()
    await count.#client.query('set max_parallel_workers_per_gather = 0')
    count.#next(LEAST_PAUSE_MS)
    return count
  }

  get confirmed(): number {
    return this.#confirmed
  }

  expect(): void {
    this.#expected += this.#options.eventsPerMessage
  }

  faults(): readonly string[] {
    if (this.#failure !== null) return [`the rows could not be counted: ${this.#failure}`]
    const missing = this.#expected - this.#confirmed
    return missing === 0 ? [] : [`missing rows: ${missing.toLocaleString('en')}`]
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    void this.#client.end().catch(() => {})
  }

  #next(ms: number): void {
    this.#timer = setTimeout(() => void this.#count(), ms)
  }

  async #count(): Promise<void> {
    const startMs = performance.now()
    try {
      const { rows } = await this.#client.query<{ count: string }>('select count(*) from events')
      if (this.#timer === null) return
      this.#confirmed = Number(rows[0]?.count)
      this.#options.onProgress()
      this.#next(Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (performance.now() - startMs)))
    } catch (error) {
      if (this.#timer !== null) this.#fail(error as Error)
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error.message
  }
}
