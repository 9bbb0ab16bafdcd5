import { setTimeout as delay } from 'node:timers/promises'
import type { Message } from '../pipeline/message.ts'
import type { BatchResult } from '../pipeline/outcome.ts'
import type { Log } from '../telemetry/log.ts'
import type { Connection } from './connection.ts'
import { sqlstateOf, verdictOn } from './sqlstate.ts'
import type { DeviceSeen } from './upsert-devices.ts'
import { writeBatch } from './write-batch.ts'

export interface WriterOptions {
  /** Names this writer's rows in ingest_stats, and is unique among all ingesters. */
  readonly name: string
  /** Opens a connection, bounded in time. */
  readonly connect: () => Promise<Connection>
  /** After so long a transaction is given up and its connection destroyed. */
  readonly timeoutMs: number
  readonly log: Log
  /** A batch failed and will be tried again; for the metrics. */
  readonly onRetry: (reason: string) => void
}

const [MIN_BACKOFF_MS, MAX_BACKOFF_MS, MAX_TIMEOUT_MS] = [100, 5_000, 120_000]

/**
 * One connection to PostgreSQL and the patience to get a batch through it.
 *
 * A batch is tried until it is committed, over as many connections as it takes. A connection that failed in
 * itself or timed out is destroyed, never used again: its answers belong to questions nobody remembers. Only
 * errors that no waiting mends (verdict `stop`) are thrown. One batch at a time.
 */
export class Writer {
  readonly #options: WriterOptions
  #connection: Connection | null = null
  readonly #stopping = new AbortController()

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** @throws what PostgreSQL said, where the set-up is wrong; an AbortError after `stop`. */
  async write(batch: readonly Message[], devices: readonly DeviceSeen[]): Promise<BatchResult> {
    const { name, log, onRetry } = this.#options
    let timeoutMs = this.#options.timeoutMs
    for (let failures = 0; ; failures++) {
      const deadline = new Deadline(timeoutMs)
      try {
        this.#connection ??= await this.#options.connect()
        deadline.guard(this.#connection)
        const result = await writeBatch(this.#connection, batch, { writer: name, devices })
        if (failures > 0) log.info({ failures, messages: batch.length }, 'PostgreSQL takes batches again')
        return result
      } catch (error) {
        if (deadline.passed) timeoutMs = Math.min(timeoutMs * 2, MAX_TIMEOUT_MS)
        if (verdictOn(error) === 'stop') throw error
        if (sqlstateOf(error) === null || sqlstateOf(error)?.startsWith('57P')) this.#dropConnection()
        const reason = deadline.passed
          ? `no answer within ${deadline.ms} ms`
          : String((error as Error).message)
        onRetry(reason)
        // Said at the first failure and then at every doubling.
        if ((failures & (failures + 1)) === 0) {
          log.warn(
            { failures: failures + 1, messages: batch.length, reason },
            'PostgreSQL did not take a batch; trying again, nothing is lost',
          )
        }
        await this.#backOff(failures)
      } finally {
        deadline.cancel()
      }
    }
  }

  /** Ends the connection and whatever waits for a next try. */
  stop(): void {
    this.#stopping.abort()
    this.#dropConnection()
  }

  #dropConnection(): void {
    this.#connection?.destroy()
    this.#connection = null
  }

  async #backOff(failures: number): Promise<void> {
    const ms = Math.min(MIN_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS)
    await delay(ms / 2 + (Math.random() * ms) / 2, undefined, { signal: this.#stopping.signal })
  }
}

/** Destroys the connection when the time is up; the queries under way then fail. */
class Deadline {
  readonly ms: number
  #timer: NodeJS.Timeout | undefined
  #passed = false

  constructor(ms: number) {
    this.ms = ms
  }

  get passed(): boolean {
    return this.#passed
  }

  guard(connection: Connection): void {
    this.#timer = setTimeout(() => {
      this.#passed = true
      connection.destroy()
    }, this.ms)
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}
