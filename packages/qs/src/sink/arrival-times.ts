/** Less than a stop that counts (15 minutes, in note_ingest_stops), so that each of them is asked about. */
const PAUSE_MS = 10 * 60_000

/** When events were last stored, by all writers together. */
export class ArrivalTimes {
  #lastMs = Number.NEGATIVE_INFINITY

  stored(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** Also at first: nobody here knows how long nothing was stored. */
  isAfterPause(nowMs: number): boolean {
    return nowMs - this.#lastMs > PAUSE_MS
  }
}
