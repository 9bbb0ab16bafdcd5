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

/** For the events that arrived from $1 to $2. */
export const arrived = 'from events where ts_server >= $1 and ts_server < $2'

const NEXT = `
select (extract(epoch from min(ts_server)) * 1000)::float8 as at from events
where ts_server >= $1 and ts_server > '-infinity' and ts_server < 'infinity'`

/** The days on which events arrived, oldest first; each is looked up when the one before is done. */
export async function* arrivalDays(client: pg.Client): AsyncGenerator<ArrivalDay> {
  for (let from = '-infinity'; ; ) {
    const { rows } = await client.query<{ at: number | null }>(NEXT, [from])
    const at = rows[0]?.at ?? null
    if (at === null) return
    const day = arrivalDay(at)
    yield day
    from = day.to
  }
}

export async function countDay(client: pg.Client, { from, to }: ArrivalDay): Promise<number> {
  const { rows } = await client.query<{ events: string }>(`select count(*) as events ${arrived}`, [from, to])
  return Number(rows[0]?.events)
}
