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

/**
 * Failures of a transaction and not of its session: serialization, deadlock, lock not available. After all others a
 * new connection may fare better, such as one to the new primary.
 */
const KEEPS_CONNECTION: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])

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
  /** Doubled when it was too short, and kept: a database that is slow now is slow for the next batch too. */
  #timeoutMs: number

  constructor(options: WriterOptions) {
    this.#options = options
    this.#timeoutMs = options.timeoutMs
  }

  /** @throws what PostgreSQL said, where the set-up is wrong; an AbortError after `stop`. */
  async write(batch: readonly Message[], devices: readonly DeviceSeen[]): Promise<BatchResult> {
    const { name, log, onRetry } = this.#options
    for (let failures = 0; ; failures++) {
      const deadline = new Deadline(this.#timeoutMs)
      try {
        const connection = await this.#open()
        deadline.guard(connection)
        const context = { writer: name, devices, isRetry: failures > 0 }
        const result = await writeBatch(connection, batch, context)
        if (failures > 0) log.info({ failures, messages: batch.length }, 'PostgreSQL takes batches again')
        return result
      } catch (error) {
        deadline.cancel()
        this.#stopping.signal.throwIfAborted()
        if (deadline.passed) this.#timeoutMs = Math.min(this.#timeoutMs * 2, MAX_TIMEOUT_MS)
        if (verdictOn(error) === 'stop') throw error
        if (!KEEPS_CONNECTION.has(sqlstateOf(error) ?? '')) this.#dropConnection()
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

  async #open(): Promise<Connection> {
    this.#stopping.signal.throwIfAborted()
    if (this.#connection?.isOpen) return this.#connection
    const connection = await this.#options.connect()
    if (this.#stopping.signal.aborted) connection.destroy()
    this.#stopping.signal.throwIfAborted()
    this.#connection = connection
    return connection
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
