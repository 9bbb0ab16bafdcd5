import type { Delivery } from '../pipeline/delivery.ts'

/** Maximum number of batches that skip COPY after a failure. */
const MAX_SPARED = 64

/**
 * Decides whether COPY is worth trying. A failed COPY, usually on the first id that exists already, is wasted work; so
 * after a failure the next batch skips it, after another the next two, then four. Each success halves the number.
 */
export class CopyProspects {
  /** The latest batch had rows that PostgreSQL refused, so the next one probably has some, too: each row is judged at once. */
  expectRefusals = false
  #spare = 0
  #left = 0

  areGood(deliveries: readonly Delivery[]): boolean {
    // Redelivered events may be stored already.
    if (deliveries.some(({ redelivered }) => redelivered)) return false
    if (this.#left === 0) return true
    this.#left--
    return false
  }

  succeeded(): void {
    this.#spare >>= 1
  }

  failed(): void {
    this.#spare = Math.min(MAX_SPARED, this.#spare * 2 || 1)
    this.#left = this.#spare
  }
}
