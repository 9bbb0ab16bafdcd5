import type { Delivery } from '../pipeline/delivery.ts'
import type { Message } from '../pipeline/message.ts'
import type { BatchResult, Outcome } from '../pipeline/outcome.ts'

/** What became of an injected message: its elements, and their ends at the same index. */
export interface Injected {
  readonly message: Message
  readonly outcomes: readonly Outcome[]
}

/**
 * Messages that come from within the process and not from the broker: replays of the console. They go the way of all
 * others, from decode to the device ack, and whoever sent them is told their end.
 */
export class Injections {
  readonly #waiting = new Map<Delivery, (end: Injected) => void>()

  /** Messages under way, which the source knows nothing of. */
  get unsettled(): number {
    return this.#waiting.size
  }

  /** Resolves after COMMIT; never, where the pipeline ends before that. */
  deliver(
    delivery: Omit<Delivery, 'settle' | 'redelivered'>,
    push: (delivery: Delivery) => void,
  ): Promise<Injected> {
    return new Promise((resolve) => {
      const whole: Delivery = { ...delivery, redelivered: false, settle: () => this.#waiting.delete(whole) }
      this.#waiting.set(whole, resolve)
      push(whole)
    })
  }

  /** After COMMIT and before the messages are settled. */
  look(batch: readonly Message[], result: BatchResult): void {
    if (this.#waiting.size === 0) return
    for (const [index, message] of batch.entries()) {
      this.#waiting.get(message.delivery)?.({ message, outcomes: result[index] ?? [] })
    }
  }
}
