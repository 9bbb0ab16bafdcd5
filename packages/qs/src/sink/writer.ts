import { formatInstant } from '@qs-telemetry/protocol'
import { pauseMs } from '../pipeline/backoff.ts'
import type { CallOff, Clock } from '../pipeline/clock.ts'
import type { BatchResult } from '../pipeline/message.ts'
import { delay } from '../pipeline/promises.ts'
import type { Log } from '../telemetry/log.ts'
import type { Connection } from './connection.ts'
import type { CopyProspects } from './copy-prospects.ts'
import type { Batch } from './gather.ts'
import type { ArrivalTimes } from './ingest-stops.ts'
import type { KnownTypes } from './known-types.ts'
import type { LetterAllowance } from './letter-allowance.ts'
import type { SeriesWork } from './series-pace.ts'
import type { SetUp } from './set-up.ts'
import { sqlstateOf } from './sqlstate.ts'
import type { DeviceSeen } from './upsert-devices.ts'
import { writeBatch } from './write-batch.ts'

/** The length of 2026-11-26T02, the hour in a time. */
const HOUR_DIGITS = 13

export interface WriterOptions {
  /** The name of this writer's rows in ingest_stats, unique among all ingesters. */
  readonly name: string
  /** Opens a connection, bounded in time. */
  readonly connect: () => Promise<Connection>
  /** A connection that is silent for this long is destroyed, and its transaction given up. */
  readonly timeoutMs: number
  readonly clock: Clock
  /** A number in [0, 1), for the jitter between attempts. */
  readonly random: () => number
  /** Prospects of COPY, shared by all writers. */
  readonly prospects: CopyProspects
  /** What the database refuses, shared by all writers. */
  readonly setUp: SetUp
  /** Shared by all writers; if absent, stops of ingest are not recorded. */
  readonly arrivals?: ArrivalTimes
  /** For dead letters, shared by all writers; if absent, all are kept. */
  readonly allowance?: LetterAllowance
  /** Limits event types, shared by all writers; if absent, devices may have any number. */
  readonly types?: KnownTypes | undefined
  /** Its batches are an import, and no arrivals. */
  readonly isHistory?: boolean
  readonly log: Log
  /** Called when a failed connection was replaced: those of other writers may have died with it. */
  readonly onRenewed?: () => void
  /** Called when a batch failed and will be retried; for the metrics. */
  readonly onRetry: (reason: string) => void
}

/**
 * Failures of a transaction, not of its session: serialization, deadlock, lock not available. After all others a new
 * connection may succeed, such as one to a new primary.
 */
const KEEPS_CONNECTION: ReadonlySet<string> = new Set(['40001', '40P01', '55P03'])

const MAX_TIMEOUT_MS = 120_000
/** How long a connection may be silent after the connection of another writer has failed. */
const DOUBTED_MS = 1_000

/**
 * One connection to PostgreSQL, with the retries for a batch.
 *
 * A batch is retried until it is committed, over as many connections as necessary. A connection that failed or timed
 * out is destroyed and never reused: its answers would belong to earlier queries. Only errors of a set-up that never
 * worked are thrown (`SetUp`). One batch at a time.
 */
export class Writer {
  readonly #options: WriterOptions
  #connection: Connection | null = null
  /** The deadline of the current batch. */
  #deadline: Deadline | null = null
  /** The connection failed by itself, not because another writer's failure put it in doubt; otherwise writers would doubt
   * each other forever. */
  #hasFailed = false
  readonly #stopping = new AbortController()
  /**
   * Doubled when it was too short, and kept while batches need it: a slow database is slow for the next batch too. Once
   * a batch is fast it is reset, so that the next dead connection is noticed as soon as the first.
   */
  #timeoutMs: number

  constructor(options: WriterOptions) {
    this.#options = options
    this.#timeoutMs = options.timeoutMs
  }

  /** @throws the error of PostgreSQL if the set-up is wrong; an AbortError after `stop`. */
  async write(batch: Batch, devices: readonly DeviceSeen[], series?: SeriesWork): Promise<BatchResult> {
    const {
      name,
      prospects,
      setUp,
      arrivals,
      allowance,
      types,
      isHistory,
      timeoutMs,
      log,
      clock,
      random,
      onRetry,
    } = this.#options
    const hasEvents = batch.changes.size > 0
    for (let failures = 0; ; failures++) {
      const startMs = clock.monotonicMs()
      const deadline = new Deadline(clock, this.#timeoutMs)
      try {
        const connection = await this.#open()
        deadline.guard(connection)
        this.#deadline = deadline
        const context = {
          writer: name,
          devices,
          series,
          isRetry: failures > 0,
          isAfterPause: hasEvents && (arrivals?.isAfterPause(clock.monotonicMs()) ?? false),
          prospects,
          allowance,
          types,
          isHistory,
          nowMs: clock.monotonicMs(),
          hour: formatInstant(clock.now()).slice(0, HOUR_DIGITS),
        }
        const result = await writeBatch(deadline.hearing(connection), batch, context)
        setUp.worked()
        if (hasEvents) arrivals?.stored(clock.monotonicMs())
        if (clock.monotonicMs() - context.nowMs < timeoutMs / 2) this.#timeoutMs = timeoutMs
        if (failures > 0)
          log.info({ failures, messages: batch.messages.length }, 'PostgreSQL accepts batches again')
        return result
      } catch (error) {
        deadline.cancel()
        this.#stopping.signal.throwIfAborted()
        if (deadline.passed && !deadline.isDoubted)
          this.#timeoutMs = Math.max(timeoutMs, Math.min(this.#timeoutMs * 2, MAX_TIMEOUT_MS))
        if (!setUp.failed(error)) throw error
        if (!KEEPS_CONNECTION.has(sqlstateOf(error) ?? '')) {
          this.#dropConnection()
          this.#hasFailed ||= !deadline.isDoubted
        }
        const reason = deadline.passed
          ? `no answer within ${deadline.ms} ms`
          : String((error as Error).message)
        onRetry(reason)
        // Logged at the first failure and then each time the count doubles.
        if ((failures & (failures + 1)) === 0) {
          log.warn(
            { failures: failures + 1, messages: batch.messages.length, reason },
            'PostgreSQL did not accept a batch; trying again, nothing is lost',
          )
        }
        const triedMs = clock.monotonicMs() - startMs
        await delay(clock, pauseMs(failures, { triedMs, random }), this.#stopping.signal)
      } finally {
        deadline.cancel()
        this.#deadline = null
      }
    }
  }

  /**
   * Another writer's connection has failed, and this one may be dead too, which would go unnoticed until the timeout.
   * Meanwhile its server session could lock rows for which the other writer waits. An idle connection is replaced; a
   * busy one has one second to answer.
   */
  doubt(): void {
    if (this.#deadline === null) this.#dropConnection()
    else this.#deadline.doubt(DOUBTED_MS)
  }

  async #open(): Promise<Connection> {
    this.#stopping.signal.throwIfAborted()
    if (this.#connection?.isOpen) return this.#connection
    const connection = await this.#options.connect()
    if (this.#stopping.signal.aborted) connection.destroy()
    this.#stopping.signal.throwIfAborted()
    this.#connection = connection
    if (this.#hasFailed) this.#options.onRenewed?.()
    this.#hasFailed = false
    return connection
  }

  /** Ends the connection and any wait for a retry. */
  stop(): void {
    this.#stopping.abort()
    this.#dropConnection()
  }

  #dropConnection(): void {
    this.#connection?.destroy()
    this.#connection = null
  }
}

/**
 * Destroys the connection after a period of silence; its outstanding queries then fail. A batch with many bad rows
 * takes thousands of statements, and is not started over as long as these are answered.
 */
class Deadline {
  #ms: number
  readonly #clock: Clock
  #heardMs = 0
  #callOff: CallOff | null = null
  #connection: Connection | null = null
  #passed = false
  #isDoubted = false

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  get ms(): number {
    return this.#ms
  }

  get isDoubted(): boolean {
    return this.#isDoubted
  }

  get passed(): boolean {
    return this.#passed
  }

  guard(connection: Connection): void {
    this.#connection = connection
    this.#heardMs = this.#clock.monotonicMs()
    this.#lookAfter(this.#ms)
  }

  /** From now on the connection may be silent for at most `ms`. */
  doubt(ms: number): void {
    this.#isDoubted = true
    this.#ms = Math.min(this.#ms, ms)
    this.#callOff?.()
    this.#look()
  }

  /** Wraps the connection so that each answer resets the deadline. */
  hearing(connection: Connection): Connection {
    const heard = () => {
      this.#heardMs = this.#clock.monotonicMs()
    }
    const hear = <T>(answer: Promise<T>) => {
      answer.then(heard, heard)
      return answer
    }
    return {
      get isOpen() {
        return connection.isOpen
      },
      get maySkipRows() {
        return connection.maySkipRows
      },
      query: (query) => hear(connection.query(query)),
      copy: (query) => hear(connection.copy(query)),
      destroy: () => connection.destroy(),
    }
  }

  cancel(): void {
    this.#callOff?.()
  }

  #lookAfter(ms: number): void {
    this.#callOff = this.#clock.after(ms, () => this.#look())
  }

  #look(): void {
    const leftMs = this.#heardMs + this.#ms - this.#clock.monotonicMs()
    // Timers may fire a fraction of a millisecond early.
    if (leftMs >= 1) return this.#lookAfter(leftMs)
    this.#passed = true
    this.#connection?.destroy()
  }
}
