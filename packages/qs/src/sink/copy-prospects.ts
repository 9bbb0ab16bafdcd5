import type { Delivery } from '../pipeline/delivery.ts'

/** So many batches at most are spared a COPY after one has failed. */
const MAX_SPARED = 64

/**
 * Whether a COPY is worth a try. One that fails, mostly at the first id that is there already, was work for nothing; so
 * after a failure the next batch is spared it, after another the next two, and so on. Each that succeeds halves that.
 */
export class CopyProspects {
  #spare = 0
  #left = 0

  areGood(deliveries: readonly Delivery[]): boolean {
    // What the broker sends again may be stored.
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
