import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'

const SQL = 'insert into event_hours_backlog (first_seen, last_seen) values ($1, $2)'

/**
 * Says that events of hours before the current one come with this batch, for the job that keeps numbers by the hour.
 * Nearly never needed.
 *
 * @param earliestTs the smallest event time
 * @param hour the current hour, as a time begins that is in it: 2026-11-26T02
 */
export function noteBacklog(
  messages: readonly Message[],
  earliestTs: string | null,
  hour: string,
): QueryConfig | null {
  if (earliestTs === null || earliestTs >= hour) return null
  let [first, last] = [messages[0]?.tsServer ?? '', '']
  for (const { tsServer } of messages) {
    if (tsServer < first) first = tsServer
    if (tsServer > last) last = tsServer
  }
  return { name: 'note-backlog', text: SQL, values: [first, last] }
}
