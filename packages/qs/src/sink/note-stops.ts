import type { QueryConfig } from 'pg'

const NOTE_STOPS: QueryConfig = { name: 'note-ingest-stops', text: 'select note_ingest_stops()' }

/** Records the periods without ingest, for the rule of silence. */
export function noteStops(): QueryConfig {
  return NOTE_STOPS
}
