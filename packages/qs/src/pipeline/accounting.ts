import type { Message } from './message.ts'
import type { BatchResult } from './outcome.ts'

/**
 * Every event that was taken in has one end. received = stored + duplicate + rejected + in flight, and each number is
 * counted for itself, so that the identity says something: in flight by the elements of the messages, the others
 * by their outcomes.
 */
export class Accounting {
  received = 0
  inFlight = 0
  stored = 0
  duplicate = 0
  rejected = 0
  /** Batches committed; whether it moves tells whether anything flows. */
  commits = 0

  decoded({ size }: Message): void {
    this.received += size
    this.inFlight += size
  }

  committed(batch: readonly Message[], result: BatchResult): void {
    this.commits++
    for (const { size } of batch) this.inFlight -= size
    for (const outcomes of result) {
      for (const outcome of outcomes) this[outcome.kind === 'rejection' ? 'rejected' : outcome.kind]++
    }
  }

  /** What is missing (above 0) or too much; 0 as it should be. */
  get difference(): number {
    return this.received - this.stored - this.duplicate - this.rejected - this.inFlight
  }
}
