import type { Clock } from '../pipeline/clock.ts'
import type { Delivery } from '../pipeline/delivery.ts'

/** How long a delivery waits for others while a writer is busy. */
const PATIENCE_MS = 20
/** Number of empty slots at which the queue is compacted. */
const COMPACT_AT = 1024

export interface BatcherOptions {
  /** Maximum concurrent batches: one per database connection. */
  readonly writers: number
  /** Payload bytes in one batch. */
  readonly maxBytes: number
  /** Commits a batch and settles its deliveries. Retries by itself; a rejected promise ends the pipeline. */
  readonly write: (batch: readonly Delivery[]) => Promise<void>
  readonly onFailure: (error: unknown) => void
  /** Payload bytes that justify another writer beside a busy one: two small transactions cost more than one. */
  readonly worthAnotherBytes: number
  readonly clock: Pick<Clock, 'after'>
}

/**
 * Gathers deliveries into batches, without a linger time.
 *
 * While a writer is busy, deliveries queue; a writer that becomes idle takes as much of the queue as the limit allows,
 * and another one starts if much waits, or for long. So an event that finds all writers idle does not wait, and a flood
 * naturally forms large batches. Deliveries from one socket read go together: the queue is first examined after the
 * read, in a microtask.
 *
 * The queue holds bytes. A delivery is decoded when a writer takes it: events as objects are five times the size of
 * their bytes, and while PostgreSQL is down thousands of messages wait (550 MB against 150, arrays of 100).
 *
 * A delivery is never split. One larger than the limit forms its own batch. The queue is bounded by the source, which
 * stops reading at its high watermark.
 */
export class Batcher {
  readonly #options: BatcherOptions
  #queue: (Delivery | undefined)[] = []
  /** Index of the first delivery that is not taken yet. */
  #head = 0
  /** Payload bytes in the queue. */
  #queuedBytes = 0
  #isWaiting = false
  #busy = 0
  #scheduled = false
  /** After a failure that ends the pipeline nothing more is written. */
  #hasFailed = false

  constructor(options: BatcherOptions) {
    this.#options = options
  }

  push(delivery: Delivery): void {
    this.#queue.push(delivery)
    this.#queuedBytes += delivery.payload.length
    if (this.#scheduled || this.#busy === this.#options.writers) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#fill()
    })
  }

  #fill(hasWaited = false): void {
    const { writers, worthAnotherBytes } = this.#options
    while (this.#busy < writers && !this.#hasFailed) {
      const isLittle = this.#queuedBytes > 0 && this.#queuedBytes < worthAnotherBytes
      if (isLittle && this.#busy > 0 && !hasWaited) return this.#fillLater()
      const batch = this.#take()
      if (batch.length === 0) return
      void this.#flush(batch)
    }
  }

  #fillLater(): void {
    if (this.#isWaiting) return
    this.#isWaiting = true
    this.#options.clock.after(PATIENCE_MS, () => {
      this.#isWaiting = false
      this.#fill(true)
    })
  }

  async #flush(batch: readonly Delivery[]): Promise<void> {
    this.#busy++
    try {
      await this.#options.write(batch)
    } catch (error) {
      this.#hasFailed = true
      this.#options.onFailure(error)
    }
    this.#busy--
    this.#fill()
  }

  #take(): readonly Delivery[] {
    const { maxBytes } = this.#options
    const batch: Delivery[] = []
    let bytes = 0
    for (let next = this.#queue[this.#head]; next !== undefined; next = this.#queue[this.#head]) {
      bytes += next.payload.length
      if (batch.length > 0 && bytes > maxBytes) break
      batch.push(next)
      this.#queuedBytes -= next.payload.length
      // A slot keeps no reference to a taken delivery: its payload may be large and is no longer counted.
      this.#queue[this.#head++] = undefined
      if (this.#head === COMPACT_AT) this.#queue = this.#queue.slice(this.#head)
      this.#head %= COMPACT_AT
    }
    if (this.#queue[this.#head] === undefined) {
      this.#queue = []
      this.#head = 0
    }
    return batch
  }
}
