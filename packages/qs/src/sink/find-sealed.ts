import type { QueryConfig } from 'pg'
import { bisect } from './bisect.ts'
import { COMPARISON, readComparisons } from './compare-events.ts'
import { type Connection, pipelined } from './connection.ts'
import { EVENT_INPUT, type EventRow, eventRowsJson } from './insert-events.ts'
import { outcomeOf, type PendingRow, refusal } from './store-events.ts'

/**
 * Held until COMMIT, so that no event moves into a segment between the search and the insert: `seal_next` holds the same
 * lock alone. A statement of its own, since the next one must see what is committed when the lock is granted.
 */
export const LOCK_SEGMENTS: QueryConfig = {
  text: `select pg_advisory_xact_lock_shared('event_segments'::regclass::oid::bigint)`,
}

/**
 * Searches the segments of the same device and type around the device time. A local time may have been read in another
 * time zone, and an age gives another time with each try: 27 hours cover any two zones.
 *
 * Materialized, so that each segment is unpacked once, and not for each row again.
 */
const SQL = `
with given as materialized (
  select *, row_number() over () as place, coalesce(dev, ts) as at,
    case when local is null and dev is not null then interval '0' else interval '27 hours' end as around
  from ${EVENT_INPUT}
), found as materialized (
  select * from sealed_events
  where segment_id = any(array(
    select s.segment_id from given g
    join event_segments s on s.device_id = g.device and s.event_type = g.type
      and s.last_ts >= g.at - g.around and s.first_ts <= g.at + g.around))
)
select ${COMPARISON}
from given i
join found e on e.event_id = i.id and e.device_id = i.device and e.event_type = i.type`

/** Unnamed, so that it is planned each time, like compareEvents. */
export function findSealed(rows: readonly EventRow[]): QueryConfig {
  return { text: SQL, values: [eventRowsJson(rows)] }
}

/** Whether one of these events, or another with its id, is sealed already; within the open transaction. */
export async function isAnySealed(connection: Connection, rows: readonly EventRow[]): Promise<boolean> {
  await pipelined(connection, LOCK_SEGMENTS)
  const [found] = await pipelined(connection, findSealed(rows))
  return (found?.rows.length ?? 0) > 0
}

/**
 * Determines the outcome of rows that are sealed already, within the open transaction.
 *
 * @param sought the events that may be sealed
 * @param isCareful a row may make the statement fail, and is then refused
 * @returns the rows to be inserted
 */
export async function answerSealed(
  connection: Connection,
  rows: readonly PendingRow[],
  { sought, isCareful }: { readonly sought: readonly EventRow[]; readonly isCareful: boolean },
): Promise<readonly PendingRow[]> {
  const ids = new Set(sought.map(({ event }) => event.eventId))
  const old = rows.filter(({ event }) => ids.has(event.eventId))
  if (old.length === 0) return rows
  const answer = (part: readonly PendingRow[], found: readonly Record<string, unknown>[]) => {
    for (const comparison of readComparisons(found)) {
      const row = part[comparison.index] as PendingRow
      row.outcomes[row.index] = outcomeOf(row.event, comparison)
    }
  }
  await pipelined(connection, LOCK_SEGMENTS)
  if (isCareful)
    await bisect(connection, old, {
      query: findSealed,
      take: (part, result) => answer(part, result?.rows ?? []),
      refuse: (row, error) => {
        row.outcomes[row.index] = refusal(error, row.event)
      },
    })
  else {
    const [result] = await pipelined(connection, findSealed(old))
    answer(old, result?.rows ?? [])
  }
  return rows.filter(({ outcomes, index }) => outcomes[index] === undefined)
}
