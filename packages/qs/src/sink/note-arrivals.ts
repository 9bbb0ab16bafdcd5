import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'
import { stretches } from './stretches.ts'

const SQL = `
insert into received_pending (first_seen, last_seen) select * from unnest($1::timestamptz[], $2::timestamptz[])`

/**
 * Records when the events of this batch arrived, for the job that reads which numbers have come. It finds the events by
 * these times, and this row is visible as soon as they are.
 */
export function noteArrivals(messages: readonly Message[]): QueryConfig {
  return { name: 'note-arrivals', text: SQL, values: [...stretches(messages)] }
}
