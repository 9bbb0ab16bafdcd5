import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'

const SQL = 'insert into event_hours_backlog (first_seen, last_seen) values ($1, $2)'

/**
 * Says that events of hours before the current one come with this batch, for the job that keeps numbers by the hour.
 * Nearly never needed: one comparison of two texts for each event.
 *
 * @param hour the current hour, as a time begins that is in it: 2026-11-26T02
 */
export function noteBacklog(batch: readonly Message[], hour: string): QueryConfig | null {
  if (!batch.some(({ elements }) => elements.some((each) => each.kind === 'event' && each.ts < hour)))
    return null
  let [first, last] = [batch[0]?.tsServer ?? '', '']
  for (const { tsServer } of batch) {
    if (tsServer < first) first = tsServer
    if (tsServer > last) last = tsServer
  }
  return { name: 'note-backlog', text: SQL, values: [first, last] }
}
