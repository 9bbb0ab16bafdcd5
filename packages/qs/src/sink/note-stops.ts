import type { QueryConfig } from 'pg'

const NOTE_STOPS: QueryConfig = { name: 'note-ingest-stops', text: 'select note_ingest_stops()' }

/** Keeps in which times nothing was taken in, for the rule of silence. */
export function noteStops(): QueryConfig {
  return NOTE_STOPS
}
