import type { QueryConfig } from 'pg'

/** Less than the 15 minutes that count as a stop in note_ingest_stops, so that none is missed. */
const PAUSE_MS = 10 * 60_000

/** When events were last stored by any writer. */
export class ArrivalTimes {
  #lastMs = Number.NEGATIVE_INFINITY

  stored(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** Also true at first: how long nothing was stored before the start is unknown. */
  isAfterPause(nowMs: number): boolean {
    return nowMs - this.#lastMs > PAUSE_MS
  }
}

const NOTE_STOPS: QueryConfig = { name: 'note-ingest-stops', text: 'select note_ingest_stops()' }

/** Records the periods without ingest, for the rule of silence. */
export function noteStops(): QueryConfig {
  return NOTE_STOPS
}
