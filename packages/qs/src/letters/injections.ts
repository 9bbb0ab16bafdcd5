import type { Delivery } from '../pipeline/delivery.ts'
import type { BatchResult, Message, Outcome } from '../pipeline/message.ts'

/** An injected message and the outcomes of its elements, at the same index. */
export interface Injected {
  readonly message: Message
  readonly outcomes: readonly Outcome[]
}

/**
 * Messages from within the process instead of the broker: replays of the console. They pass through the whole pipeline,
 * from decode to the device ack, and the sender gets their outcomes.
 */
export class Injections {
  readonly #waiting = new Map<Delivery, (end: Injected) => void>()

  /** Messages in flight that the source does not count. */
  get unsettled(): number {
    return this.#waiting.size
  }

  /** Resolves after COMMIT; never, if the pipeline ends before that. */
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

  /** Called after COMMIT and before the messages are settled. */
  look(batch: readonly Message[], result: BatchResult): void {
    if (this.#waiting.size === 0) return
    for (const [index, message] of batch.entries()) {
      this.#waiting.get(message.delivery)?.({ message, outcomes: result[index] ?? [] })
    }
  }
}
