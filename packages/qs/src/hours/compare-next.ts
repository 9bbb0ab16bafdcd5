import type { ClientBase } from 'pg'
import { inTurn } from './in-turn.ts'
import { replaceHours } from './replace-hours.ts'

/** What one step of the walk came to. */
export type Step =
  /** Another ingester is at it, or nothing is in event_hours yet. */
  | { readonly kind: 'wait' }
  /** Every series was compared; the next step begins with the first. */
  | { readonly kind: 'end'; readonly wasRecount: boolean }
  | ComparedSeries

export interface ComparedSeries {
  readonly kind: 'series'
  readonly deviceId: string
  readonly eventType: string
  /** Hours that differed from their events and were counted anew. */
  readonly mended: number
  /** Events that these hours lacked. */
  readonly lacking: number
  /** Whether the first walk after an update is under way, which counts what an earlier version left out. */
  readonly isRecount: boolean
  /** Those of `mended` that nothing explains: neither a recount nor events that are still in the backlog. */
  readonly unexplained: number
}

const STATE = `
select covered_to::text as "coveredTo", checked_device as device, checked_type as type, recounted_at is not null as "isRecounted"
from event_hours_state`

/**
 * The next series. Its row cannot be deleted until the transaction ends, so that the removal of a device, which deletes events,
 * then series and then hours, deletes what is written here. Batches update the row as ever: they change no key.
 */
const NEXT = `
select device_id as device, event_type as type from series
where (device_id, event_type) > (coalesce($1, ''), coalesce($2, '')) order by device_id, event_type limit 1 for key share`

/**
 * Compares the hours of one series before $3 with its events, and counts anew those that differ. One statement sees one
 * snapshot, in which late events are there with their row of the backlog or not at all.
 *
 * Sums are of another order, so they are compared to nine digits of what they are made of.
 */
const MEND = `
with counted as materialized (
  select at as hour, unit collate "C" as unit, events, low, high, total
  from event_numbers($1, $2, '-infinity', $3, '1 hour')
), compared as (
  select $1 as device_id, $2 as event_type, hour, unit, coalesce(c.events, 0) as events, c.low, c.high, c.total,
    coalesce(h.events, 0) as kept,
    (c.events, c.low, c.high) is distinct from (h.events, h.low, h.high)
      or abs(c.total - h.total) > 1e-9 * c.events * least(1e300, greatest(abs(c.low), abs(c.high))) as differs
  from counted c
  full join (
    select hour, unit, events, low, high, total from event_hours
    where device_id = $1 and event_type = $2 and hour < $3) h using (hour, unit)
), ${replaceHours('h.device_id = $1 and h.event_type = $2')}
select hour::text, (sum(events) - sum(kept))::float8 as lacking from wrong group by hour`

/** The planner takes a series for a row, and would compare each hour with each: 30 s a year. */
const HASH_JOINS = 'set local enable_nestloop = off'

/** Hours of one series that the backlog names: their late events are yet to be counted. */
const LATE = `
select distinct t.hour::text from event_hours_backlog b cross join lateral late_hours(b.first_seen, b.last_seen, $3) t
where t.device_id = $1 and t.event_type = $2`

const MOVE = 'update event_hours_state set checked_device = $1, checked_type = $2'
const END = `
update event_hours_state set checked_device = null, checked_type = null, recounted_at = coalesce(recounted_at, now())`

interface State {
  readonly coveredTo: string | null
  readonly device: string | null
  readonly type: string | null
  readonly isRecounted: boolean
}

/**
 * Compares the next series in the order of the key, in one transaction, in which its place is kept: a walk goes on where it was,
 * whatever dies.
 */
export async function compareNext(database: ClientBase): Promise<Step> {
  const step = await inTurn<Step>(database, async () => {
    const [state] = (await database.query<State>(STATE)).rows
    if (state === undefined) throw new Error('event_hours_state is empty')
    const { coveredTo, isRecounted } = state
    if (coveredTo === null) return { kind: 'wait' }
    const { rows } = await database.query<{ device: string; type: string }>(NEXT, [state.device, state.type])
    const [next] = rows
    if (next === undefined) {
      await database.query(END)
      return { kind: 'end', wasRecount: !isRecounted }
    }
    const key = [next.device, next.type]
    await database.query(HASH_JOINS)
    const wrong = (await database.query<{ hour: string; lacking: number }>(MEND, [...key, coveredTo])).rows
    const late = isRecounted && wrong.length > 0 ? await lateHours(database, [...key, coveredTo]) : null
    await database.query(MOVE, key)
    return {
      kind: 'series',
      deviceId: next.device,
      eventType: next.type,
      mended: wrong.length,
      lacking: wrong.reduce((sum, { lacking }) => sum + lacking, 0),
      isRecount: !isRecounted,
      unexplained: late === null ? 0 : wrong.filter(({ hour }) => !late.has(hour)).length,
    }
  })
  return step ?? { kind: 'wait' }
}

async function lateHours(database: ClientBase, values: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ hour: string }>(LATE, [...values])
  return new Set(rows.map(({ hour }) => hour))
}

/** How much of the recount is done, from 0 to 1. It is 1 when the walk has ended, not when its last series is compared. */
const PROGRESS = `
select case when recounted_at is not null then 1
  else least(0.999, (count(*) filter (where (device_id, event_type) <= (checked_device, checked_type)))::float8
    / greatest(count(*), 1)) end as share
from event_hours_state left join series on true group by recounted_at`

export async function recountProgress(database: ClientBase): Promise<number> {
  return (await database.query<{ share: number }>(PROGRESS)).rows[0]?.share ?? 0
}
