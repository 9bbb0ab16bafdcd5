import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'

const SQL = `
insert into event_hours_backlog (first_seen, last_seen) select * from unnest($1::timestamptz[], $2::timestamptz[])`

/** Times further apart than this are two stretches: a replayed dead letter keeps its time of weeks ago. */
const GAP_MS = 60_000

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
  const [firsts, lasts] = stretches(messages.map(({ tsServer }) => tsServer).sort())
  return { name: 'note-backlog', text: SQL, values: [firsts, lasts] }
}

/** Where each begins and where it ends. The texts have microseconds, of which the gap needs none. */
function stretches(sorted: readonly string[]): readonly [firsts: string[], lasts: string[]] {
  const [firsts, lasts]: [string[], string[]] = [[], []]
  let endMs = -Infinity
  for (const time of sorted) {
    const ms = Date.parse(time)
    if (ms - endMs > GAP_MS) firsts.push(time)
    lasts[firsts.length - 1] = time
    endMs = ms
  }
  return [firsts, lasts]
}
