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
 * Events of one statement: `DATABASE_TIMEOUT` runs anew with each. If each is in another segment, a piece took
 * 0.24 to 0.4 s on one core.
 */
const PIECE = 200

/** Of the segments of a device with a wrong time, those read for one event; the narrowest around its time. */
const MOST_MISDATED = 20

/**
 * Searches the segments of the same device around the device time, and those with an implausible device time around it. A
 * local time may have been read in another time zone, and an age gives another time with each try: 27 hours cover any
 * two zones. All types of the device, since an id that comes with another type is a conflict.
 *
 * To read the ids of a segment takes 0.9 µs an event, to unpack it 3: only one that holds an id is unpacked.
 * Materialized, so that each is read once, and not for each row again.
 */
const SQL = `
with given as materialized (
  select *, row_number() over () as place, coalesce(dev, ts) as at,
    case when local is null and dev is not null then interval '0' else interval '27 hours' end as around
  from ${EVENT_INPUT}
), near as materialized (
  select g.place, s.segment_id, substr(g.id, length(s.id_prefix) + 1) as rest
  from given g
  join series t on t.device_id = g.device
  join event_segments s on s.device_id = g.device and s.event_type = t.event_type
    and s.last_ts >= g.at - g.around and s.first_ts <= g.at + g.around
  where starts_with(g.id, s.id_prefix)
  union
  select g.place, s.segment_id, substr(g.id, length(s.id_prefix) + 1)
  from given g
  cross join lateral (
    select * from event_segments m
    where m.device_id = g.device and m.misdated > 0 and m.last_device - m.first_device < interval '400 days'
      and m.last_device >= g.dev - g.around and m.first_device <= g.dev + g.around
    order by m.event_type <> g.type, m.last_device - m.first_device limit ${MOST_MISDATED}) s
  where starts_with(g.id, s.id_prefix)
), ids as materialized (
  select s.segment_id, (coalesce(u.uuid::text, coalesce(u.head, '') || coalesce(u.number::bigint::text, ''))) collate "C" as rest
  from (select distinct segment_id from near) n
  join event_segments s using (segment_id)
  cross join lateral (
    select c.uuid, c.head, sum(c.step::float8) over (rows unbounded preceding) as number
    from (select unnest(s.id_uuids) as uuid, unnest(s.id_heads) as head, unnest(s.id_steps) as step) c) u
), held as materialized (
  select distinct n.place, n.segment_id from near n join ids d on d.segment_id = n.segment_id and d.rest = n.rest collate "C"
), found as materialized (
  select * from sealed_events where segment_id = any(array(select segment_id from held))
)
select distinct on (index) * from (
  select ${COMPARISON}
  from held h
  join given i using (place)
  join found e on e.segment_id = h.segment_id and e.event_id = i.id) compared
order by index, same desc, ts_server`

/** Unnamed, so that it is planned each time, like compareEvents. */
export function findSealed(rows: readonly EventRow[]): QueryConfig {
  return { text: SQL, values: [eventRowsJson(rows)] }
}

/**
 * Whether a device of the rows has a segment around any of their times, by the indexes that the search uses. Usually none has,
 * such as in the first import of its history: then no row has to be sought.
 */
const NEAR = `
select exists (
  select from series t join event_segments s on s.device_id = t.device_id and s.event_type = t.event_type
    and s.last_ts >= $2::timestamptz - interval '27 hours' and s.first_ts <= $3::timestamptz + interval '27 hours'
  where t.device_id = any($1::text[])
) or exists (
  select from event_segments m
  where m.device_id = any($1::text[]) and m.misdated > 0 and m.last_device - m.first_device < interval '400 days'
    and m.last_device >= $2::timestamptz - interval '27 hours' and m.first_device <= $3::timestamptz + interval '27 hours'
) as "isNear"`

/** @param rows not empty. Unnamed, like findSealed */
export function findSegments(rows: readonly EventRow[]): QueryConfig {
  const devices = new Set<string>()
  let [first, last]: [string | null, string | null] = [null, null]
  for (const { event } of rows) {
    devices.add(event.deviceId)
    const at = event.tsDevice ?? event.ts
    if (first === null || at < first) first = at
    if (last === null || at > last) last = at
  }
  return { text: NEAR, values: [[...devices], first, last] }
}

/** Locks the segments. @returns whether the rows have to be sought in them */
async function mayBeSealed(connection: Connection, rows: readonly EventRow[]): Promise<boolean> {
  const [, found] = await pipelined(connection, LOCK_SEGMENTS, findSegments(rows))
  return found?.rows[0]?.isNear === true
}

/** Rows in the pieces in which segments are searched for them. */
export function* pieces<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += PIECE) yield rows.slice(start, start + PIECE)
}

/** Whether one of these events, or another with its id, is sealed already; within the open transaction. */
export async function isAnySealed(connection: Connection, rows: readonly EventRow[]): Promise<boolean> {
  if (!(await mayBeSealed(connection, rows))) return false
  for (const piece of pieces(rows)) {
    const [found] = await pipelined(connection, findSealed(piece))
    if ((found?.rows.length ?? 0) > 0) return true
  }
  return false
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
  if (!(await mayBeSealed(connection, old))) return rows
  for (const piece of pieces(old)) {
    if (isCareful)
      await bisect(connection, piece, {
        query: findSealed,
        take: (part, result) => answer(part, result?.rows ?? []),
        refuse: (row, error) => {
          row.outcomes[row.index] = refusal(error, row.event)
        },
      })
    else {
      const [result] = await pipelined(connection, findSealed(piece))
      answer(piece, result?.rows ?? [])
    }
  }
  return rows.filter(({ outcomes, index }) => outcomes[index] === undefined)
}
