import type pg from 'pg'

/** One day in UTC: all events with a `ts_server` in it. */
export interface ArrivalDay {
  /** As 2026-11-28. */
  readonly name: string
  readonly from: string
  readonly to: string
}

const DAY_MS = 86_400_000

export function arrivalDay(at: number): ArrivalDay {
  const start = Math.floor(at / DAY_MS) * DAY_MS
  const [from, to] = [new Date(start).toISOString(), new Date(start + DAY_MS).toISOString()]
  return { name: from.slice(0, from.indexOf('T')), from, to }
}

export function dayNamed(name: string): ArrivalDay {
  return arrivalDay(Date.parse(`${name}T00:00:00Z`))
}

/** For the events that arrived from $1 to $2, sealed or not. */
export const arrived =
  'from bounded_events where ts_server >= $1 and ts_server < $2 and last_seen >= $1 and first_seen < $2'

const FIRST_SEALED = `
select (extract(epoch from min(first_seen)) * 1000)::float8 as at from event_segments`

const NEXT = `
select (extract(epoch from min(ts_server)) * 1000)::float8 as at,
  exists (select from event_segments where last_seen >= $1) as "isSealed"
from events where ts_server >= $1 and ts_server > '-infinity' and ts_server < 'infinity'`

interface Next {
  readonly at: number | null
  readonly isSealed: boolean
}

/**
 * The days from `start` on on which events arrived, oldest first; each is looked up when the one before is done. While
 * there are sealed events, also days without any: no index finds the next one of them.
 */
export async function* arrivalDays(client: pg.Client, start: string): AsyncGenerator<ArrivalDay> {
  const { rows: sealed } = await client.query<{ at: number | null }>(FIRST_SEALED)
  const firstSealed = sealed[0]?.at ?? Number.POSITIVE_INFINITY
  for (let from = start; ; ) {
    const [next] = (await client.query<Next>(NEXT, [from])).rows
    const isLater = from !== '-infinity' && Date.parse(from) > firstSealed
    const sealedAt = isLater ? Date.parse(from) : firstSealed
    const at = Math.min(
      next?.at ?? Number.POSITIVE_INFINITY,
      next?.isSealed ? sealedAt : Number.POSITIVE_INFINITY,
    )
    if (at === Number.POSITIVE_INFINITY) return
    const day = arrivalDay(at)
    yield day
    from = day.to
  }
}

export async function countDay(client: pg.Client, { from, to }: ArrivalDay): Promise<number> {
  const { rows } = await client.query<{ events: string }>(`select count(*) as events ${arrived}`, [from, to])
  return Number(rows[0]?.events)
}
