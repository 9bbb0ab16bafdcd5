import type { BatchResult, Message } from './message.ts'

/**
 * Every received event ends exactly once: received = stored + duplicate + rejected + in flight. Each number is counted
 * independently, so that the identity is a real check: in flight by the elements of the messages, the others by their
 * outcomes.
 */
export class Accounting {
  received = 0
  inFlight = 0
  stored = 0
  duplicate = 0
  rejected = 0
  /** Batches committed; it moves only while events flow. */
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

  /** Events missing (above 0) or in excess (below 0); normally 0. */
  get difference(): number {
    return this.received - this.stored - this.duplicate - this.rejected - this.inFlight
  }
}
