import type { Clock } from '../pipeline/clock.ts'
import type { Delivery } from '../pipeline/delivery.ts'

/** So long a delivery waits for others while a writer is busy. */
const PATIENCE_MS = 20
/** Taken deliveries that the queue may still hold. */
const COMPACT_AT = 1024

export interface BatcherOptions {
  /** Batches under way at once: one per connection to the database. */
  readonly writers: number
  /** Bytes of payload. */
  readonly maxBytes: number
  /** Commits a batch and settles its deliveries. Retries by itself; a rejection ends the pipeline. */
  readonly write: (batch: readonly Delivery[]) => Promise<void>
  readonly onFailure: (error: unknown) => void
  /** Bytes of payload that are worth a writer beside a busy one: two small transactions cost more than one. */
  readonly worthAnotherBytes: number
  readonly clock: Pick<Clock, 'after'>
}

/**
 * Gathers deliveries into batches, without a linger time.
 *
 * While a writer is busy, deliveries queue; one that comes free takes as much of the queue as the bound allows, and
 * another one helps where much waits, or for long. So an event that finds all writers idle waits for nothing, and a
 * flood makes large batches by itself. Deliveries that arrive in one read of the socket go together: the first look at
 * the queue comes after the read, in a microtask.
 *
 * The queue holds bytes. A delivery is decoded when a writer takes it: events as objects are five times the size
 * of their bytes, and with PostgreSQL away thousands of messages wait (550 MB against 150, arrays of 100).
 *
 * A delivery is never split. One that is larger than the bound makes a batch of its own. The queue is bounded by the
 * source, which stops reading at its high watermark.
 */
export class Batcher {
  readonly #options: BatcherOptions
  #queue: (Delivery | undefined)[] = []
  /** Where the queue begins: deliveries before it are taken. */
  #head = 0
  /** Of payload, in the queue. */
  #queuedBytes = 0
  #isWaiting = false
  #busy = 0
  #scheduled = false
  /** Nothing more is written after a failure that ends the pipeline. */
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
      // A slot keeps nothing of what was taken: its payload may be large, and it counts no more.
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
