import type { QueryConfig } from 'pg'
import type { Message } from '../pipeline/message.ts'

const SQL = `
insert into event_hours_backlog (first_seen, last_seen) select * from unnest($1::timestamptz[], $2::timestamptz[])`

/** Times further apart than this form separate ranges: a replayed dead letter keeps its time of weeks ago. */
const GAP_MS = 60_000

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
  const [firsts, lasts] = stretches(messages.map(({ tsServer }) => tsServer).sort())
  return { name: 'note-backlog', text: SQL, values: [firsts, lasts] }
}

/** The first and the last time of each range. The microseconds do not matter for the gap. */
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
