import type { QueryConfig } from 'pg'
import type { ChangesByDevice } from './series-changes.ts'

const SQL = `
insert into series_pending (devices, types, events, newest, last_seen, first_ts, first_seen)
values ($1, $2, $3, $4, $5, $6, $7)`

/**
 * One row for all changes of a batch, to be merged by fold_series(). If a series has a single event in the batch, most
 * of its times are equal and omitted.
 *
 * @param changes not empty
 */
export function deferSeries(changes: ChangesByDevice): QueryConfig {
  let [devices, types, events, newest, lastSeen, firstTs, firstSeen] = ['', '', '', '', '', '', '']
  for (const [deviceId, byType] of changes) {
    const device = `,${quoted(deviceId)}`
    for (const [eventType, change] of byType) {
      const { ts, eventId } = change.newest
      devices += device
      types += `,${quoted(eventType)}`
      events += `,${change.events}`
      newest += `,${quoted(`${ts} ${eventId}`)}`
      lastSeen += `,"${change.lastSeen}"`
      firstTs += change.firstTs === ts ? ',NULL' : `,"${change.firstTs}"`
      firstSeen += change.firstSeen === change.lastSeen ? ',NULL' : `,"${change.firstSeen}"`
    }
  }
  const values = [devices, types, events, newest, lastSeen, firstTs, firstSeen].map(
    (list) => `{${list.slice(1)}}`,
  )
  return { name: 'defer-series', text: SQL, values }
}

const FOLD: QueryConfig = { name: 'fold-series', text: 'select fold_series()' }

/** Merges the pending changes of all batches of all ingesters. */
export function foldSeries(): QueryConfig {
  return FOLD
}

/** An element of an array (PostgreSQL manual, Array Input and Output Syntax). */
function quoted(text: string): string {
  return /["\\]/.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`
}
