import type { Message } from '../pipeline/message.ts'

export interface BatcherOptions {
  /** Batches under way at once: one per connection to the database. */
  readonly writers: number
  readonly maxEvents: number
  /** Bytes of payload. */
  readonly maxBytes: number
  /** Commits a batch and settles its messages. Retries by itself; a rejection ends the pipeline. */
  readonly write: (batch: readonly Message[]) => Promise<void>
  readonly onFailure: (error: unknown) => void
}

/**
 * Gathers messages into batches, without a linger time.
 *
 * While every writer is busy, messages queue; a writer that comes free takes as much of the queue as the bounds
 * allow. So a lone event waits for nothing and a flood makes large batches by itself. Messages that arrive in
 * one read of the socket go together: the first look at the queue comes after the read, in a microtask.
 *
 * A message is never split. One that is larger than a bound makes a batch of its own. The queue is bounded by the
 * source, which stops reading at its high watermark.
 */
export class Batcher {
  readonly #options: BatcherOptions
  #queue: Message[] = []
  /** Where the queue begins: messages before it are taken. */
  #head = 0
  #busy = 0
  #scheduled = false

  constructor(options: BatcherOptions) {
    this.#options = options
  }

  push(message: Message): void {
    this.#queue.push(message)
    if (this.#scheduled || this.#busy === this.#options.writers) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#fill()
    })
  }

  /** Messages that no writer has taken yet. */
  get waiting(): number {
    return this.#queue.length - this.#head
  }

  get isIdle(): boolean {
    return this.#busy === 0 && this.waiting === 0
  }

  #fill(): void {
    while (this.#busy < this.#options.writers && this.waiting > 0) void this.#flush(this.#take())
  }

  async #flush(batch: readonly Message[]): Promise<void> {
    this.#busy++
    try {
      await this.#options.write(batch)
    } catch (error) {
      this.#options.onFailure(error)
      return // the writer stays taken: nothing more is written after a failure that ends the pipeline
    }
    this.#busy--
    this.#fill()
  }

  #take(): readonly Message[] {
    const { maxEvents, maxBytes } = this.#options
    let events = 0
    let bytes = 0
    let end = this.#head
    for (; end < this.#queue.length; end++) {
      const { elements, delivery } = this.#queue[end] as Message
      events += elements.length
      bytes += delivery.payload.length
      if (end > this.#head && (events > maxEvents || bytes > maxBytes)) break
    }
    const batch = this.#queue.slice(this.#head, end)
    this.#head = end
    if (this.waiting === 0 || this.#head > 10_000) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return batch
  }
}
