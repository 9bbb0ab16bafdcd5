import type { Message } from '../pipeline/message.ts'

/** So many batches at most are spared a COPY after one has failed. */
const MAX_SPARED = 64

/**
 * Whether a COPY is worth a try. One that fails, at the first id that is there already, was work for nothing; so
 * after a failure the next batch is spared it, after another the next two, and so on, until one succeeds.
 */
export class CopyProspects {
  #spare = 0
  #left = 0

  areGood(batch: readonly Message[]): boolean {
    // What the broker sends again may be stored.
    if (batch.some(({ delivery }) => delivery.redelivered)) return false
    if (this.#left === 0) return true
    this.#left--
    return false
  }

  succeeded(): void {
    this.#spare = 0
  }

  failed(): void {
    this.#spare = Math.min(MAX_SPARED, this.#spare * 2 || 1)
    this.#left = this.#spare
  }
}
