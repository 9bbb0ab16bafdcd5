import type { ClientBase } from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { inTurn } from './in-turn.ts'
import { replaceHours } from './replace-hours.ts'

/**
 * An hour counts as over some minutes after its end: a batch that still treated it as current was received before then,
 * and is committed within DATABASE_TIMEOUT, which grows to two minutes.
 */
const OVER_AFTER = '5 minutes'

/** Hours from $1 (null: from the first) to $2, for every series. */
const NEW_HOURS = `
insert into event_hours as h (device_id, event_type, hour, unit, events, low, high, total)
select s.device_id, s.event_type, x.* from event_series() s
cross join lateral event_numbers(s.device_id, s.event_type, coalesce($1::timestamptz, '-infinity'), $2, '1 hour') x
on conflict (device_id, event_type, hour, unit) do update set
  events = excluded.events, low = excluded.low, high = excluded.high, total = excluded.total`

/**
 * Hours before $3 of events received from $1 to $2: counted again, since parts were counted before, maybe in another
 * unit.
 */
const OLD_HOURS = `
with late as materialized (
  select device_id collate "C" as device_id, event_type collate "C" as event_type, hour from late_hours($1, $2, $3)
), counted as materialized (
  select t.device_id, t.event_type, t.hour, x.unit collate "C" as unit, x.events, x.low, x.high, x.total
  from late t cross join lateral event_numbers(t.device_id, t.event_type, t.hour, t.hour + interval '1 hour', '1 hour') x
), compared as (
  select device_id, event_type, hour, unit, coalesce(c.events, 0) as events, c.low, c.high, c.total,
    coalesce(h.events, 0) as kept, true as differs
  from counted c
  full join (select h.* from late join event_hours h using (device_id, event_type, hour)) h
    using (device_id, event_type, hour, unit)
), ${replaceHours()}
select count(*) from wrong`

const STATE = `
select covered_to::text as "coveredTo", over::text, coalesce(covered_to < over, true) as "hasNew",
  case when covered_to > over then (over - interval '1 day')::text end as "recountFrom"
from event_hours_state, date_trunc('hour', now() - interval '${OVER_AFTER}', 'UTC') as over`

/**
 * Merges overlapping ranges. As text: a JavaScript Date has only milliseconds, and a range cut to them would miss a
 * batch received within one microsecond.
 */
const TAKE_BACKLOG = `
with taken as (delete from event_hours_backlog returning first_seen, last_seen)
select min(first)::text as first, max(last)::text as last from (
  select first_seen as first, last_seen as last,
    sum(starts) over (order by first_seen, last_seen rows unbounded preceding) as island
  from (
    select first_seen, last_seen,
      (first_seen > max(last_seen) over (order by first_seen, last_seen rows between unbounded preceding and 1 preceding))::int
        as starts
    from taken) marked) islands
group by island`

/** Times as written by PostgreSQL, with all digits. */
interface State {
  readonly coveredTo: string | null
  readonly over: string
  /** Hours have ended since the last run. */
  readonly hasNew: boolean
  /** The clock was corrected back: hours that ended meanwhile were none that count as over. Null: it was not. */
  readonly recountFrom: string | null
}

/**
 * Brings event_hours up to date, in one transaction.
 *
 * @returns false if another ingester is working on it
 */
export async function followEvents(database: ClientBase): Promise<boolean> {
  const isDone = await inTurn(database, async () => {
    const [state] = (await database.query<State>(STATE)).rows
    if (state === undefined) throw new QsError('INTERNAL_ERROR', 'event_hours_state is empty')
    const { coveredTo, over, hasNew, recountFrom } = state
    if (hasNew) await database.query(NEW_HOURS, [coveredTo, over])
    const { rows: backlog } = await database.query<{ first: string; last: string }>(TAKE_BACKLOG)
    const late = recountFrom === null ? backlog : [...backlog, { first: recountFrom, last: 'infinity' }]
    for (const { first, last } of late) await database.query(OLD_HOURS, [first, last, over])
    if (over !== coveredTo) await database.query('update event_hours_state set covered_to = $1', [over])
    return true
  })
  return isDone ?? false
}
