/**
 * What a transaction does to `series`: writes the changes of its batch, defers them for a later fold, or folds deferred
 * changes. The first fold of an ingester also recovers the device rows that a killed ingester had not yet written, from
 * `series`.
 */
export type SeriesWork = 'write' | 'defer' | 'fold' | 'recover'

/** Updating a row takes about 25 µs of CPU, so these take half a percent of one CPU. */
const ROWS_PER_SECOND = 200
const BURST_ROWS = 400

const FOLD_INTERVAL_MS = { min: 1_000, max: 10_000 }
/** Slow folds run less often: they take at most a thirtieth of the time, until the interval reaches its maximum. */
const FOLD_SHARE = 30

/**
 * Decides when the rows of `series` are written. On a quiet system a batch writes them itself, and a single event shows
 * at once. Above 200 rows per second batches defer them, and one fold covers dozens of batches.
 */
export class SeriesPace {
  #rows = BURST_ROWS
  #refilledMs = Number.NEGATIVE_INFINITY
  /** True at first: a killed ingester may have left some. */
  #isPending = true
  #isFolding = false
  #foldDueMs = Number.NEGATIVE_INFINITY

  get isPending(): boolean {
    return this.#isPending
  }

  /** Whether `series` has every committed change, so that a summary of it is correct. */
  get isMerged(): boolean {
    return !this.#isPending && !this.#isFolding
  }

  /** @param rows the number of series that a batch changes */
  choose(rows: number, nowMs: number): 'write' | 'defer' {
    this.#rows = Math.min(BURST_ROWS, this.#rows + ((nowMs - this.#refilledMs) / 1000) * ROWS_PER_SECOND)
    this.#refilledMs = nowMs
    // Its rows are locked by the fold: a batch that writes them would wait for the end of it.
    if (this.#isFolding || rows > this.#rows) return 'defer'
    this.#rows -= rows
    return 'write'
  }

  /** Called after COMMIT: a fold that began earlier has not seen the changes. */
  deferred(): void {
    this.#isPending = true
  }

  isFoldDue(nowMs: number): boolean {
    return this.#isPending && nowMs >= this.#foldDueMs
  }

  foldBegins(): void {
    this.#isPending = false
    this.#isFolding = true
    this.#foldDueMs = Number.POSITIVE_INFINITY
  }

  foldEnded(startMs: number, nowMs: number): void {
    this.#isFolding = false
    const pauseMs = (nowMs - startMs) * FOLD_SHARE
    this.#foldDueMs = nowMs + Math.min(FOLD_INTERVAL_MS.max, Math.max(FOLD_INTERVAL_MS.min, pauseMs))
  }
}
