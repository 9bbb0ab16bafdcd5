import type { ClientBase } from 'pg'
import { QsError } from '../errors/qs-error.ts'
import { inTurn } from './in-turn.ts'
import { replaceHours } from './replace-hours.ts'

/** The result of one step of the walk. */
export type Step =
  /** Another ingester is working on it, or event_hours is still empty. */
  | { readonly kind: 'wait' }
  /** Every series was compared; the next step begins with the first. */
  | { readonly kind: 'end'; readonly wasRecount: boolean }
  | ComparedSeries

export interface ComparedSeries {
  readonly kind: 'series'
  readonly deviceId: string
  readonly eventType: string
  /** Hours that differed from their events and were counted again. */
  readonly mended: number
  /** Events that were missing from these hours. */
  readonly lacking: number
  /** Whether this is the first walk after an update, which counts events that an earlier version left out. */
  readonly isRecount: boolean
  /** The part of `mended` explained neither by a recount nor by events still in the backlog. */
  readonly unexplained: number
}

const STATE = `
select covered_to::text as "coveredTo", checked_device as device, checked_type as type, recounted_at is not null as "isRecounted"
from event_hours_state`

/**
 * The next series. Its row cannot be deleted until the transaction ends, so that the removal of a device, which deletes
 * events, then series, then hours, also deletes the rows written here. Batches may still update the row: they change no
 * key.
 */
const NEXT = `
select device_id as device, event_type as type from series
where (device_id, event_type) > (coalesce($1, ''), coalesce($2, '')) order by device_id, event_type limit 1 for key share`

/**
 * Compares the hours of one series before $3 with its events, and counts again those that differ. One statement sees
 * one snapshot, which has late events together with their backlog row, or neither.
 *
 * Sums may be added in a different order, so they are compared to nine digits, relative to their terms.
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

/** The planner expects one row per series, and would compare each hour with each other: 30 s for a year of hours. */
const HASH_JOINS = 'set local enable_nestloop = off'

/** Hours of one series in the backlog, whose late events are still to be counted. */
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
 * Compares the next series in key order and records the position in the same transaction, so that the walk continues
 * there after any failure.
 */
export async function compareNext(database: ClientBase): Promise<Step> {
  const step = await inTurn<Step>(database, async () => {
    const [state] = (await database.query<State>(STATE)).rows
    if (state === undefined) throw new QsError('INTERNAL_ERROR', 'event_hours_state is empty')
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

/** The progress of the recount, from 0 to 1. It is 1 when the walk has ended, not when its last series is compared. */
const PROGRESS = `
select case when recounted_at is not null then 1
  else least(0.999, (count(*) filter (where (device_id, event_type) <= (checked_device, checked_type)))::float8
    / greatest(count(*), 1)) end as share
from event_hours_state left join series on true group by recounted_at`

export async function recountProgress(database: ClientBase): Promise<number> {
  return (await database.query<{ share: number }>(PROGRESS)).rows[0]?.share ?? 0
}
