import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'
import { stretches } from './stretches.ts'

const SQL = `
insert into event_hours_backlog (first_seen, last_seen) select * from unnest($1::timestamptz[], $2::timestamptz[])`

/**
 * Records that this batch has events of earlier hours, for the job that keeps numbers by the hour. Rarely needed.
 *
 * @param earliestTs the smallest event time
 * @param hour the current hour, as a prefix of its times: 2026-11-26T02
 */
export function noteBacklog(
  messages: readonly Message[],
  earliestTs: string | null,
  hour: string,
): QueryConfig | null {
  if (earliestTs === null || earliestTs >= hour) return null
  return { name: 'note-backlog', text: SQL, values: [...stretches(messages)] }
}
