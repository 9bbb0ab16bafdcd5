import type pg from 'pg'

/** One day in UTC: all events with a `ts_server` in it. */
export interface ArrivalDay {
  /** As 2026-11-28. */
  readonly name: string
  readonly from: string
  readonly to: string
}

/** The events of a day. A server of another version may compute another checksum. */
export interface DayContent {
  readonly events: number
  readonly checksum: string
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
export const arrived = 'from arrivals_between($1, $2)'

const NEXT_ROW = `
select (extract(epoch from min(ts_server)) * 1000)::float8 as at from events
where ts_server >= $1 and ts_server > '-infinity' and ts_server < 'infinity'`

// A segment of a few hours has events of each of its days. One that spans a month is unpacked: a server's clock that once said
// 1970 must not cost 20,000 days without an event.
const SEALED = `
select distinct (extract(epoch from day) * 1000)::float8 as at from (
  select generate_series(first, last, interval '24 hours') as day from (
    select distinct date_trunc('day', first_seen, 'UTC') as first, date_trunc('day', last_seen, 'UTC') as last
    from event_segments where last_seen >= $1 and last_seen - first_seen < interval '30 days') brief
  union all
  select date_trunc('day', ts_server, 'UTC') from sealed_events
  where last_seen >= $1 and last_seen - first_seen >= interval '30 days') days
where day >= $1`

interface At {
  readonly at: number | null
}

/** The days from `start` on on which events arrived, in one snapshot, oldest first. Some of them may have none after all. */
export async function arrivalDays(client: pg.Client, start: string): Promise<readonly ArrivalDay[]> {
  await client.query('begin isolation level repeatable read, read only')
  try {
    const { rows: sealed } = await client.query<At>(SEALED, [start])
    const days = new Map(sealed.map(({ at }) => arrivalDay(Number(at))).map((day) => [day.name, day]))
    for (let from = start; ; ) {
      const at = (await client.query<At>(NEXT_ROW, [from])).rows[0]?.at ?? null
      if (at === null) break
      const day = arrivalDay(at)
      days.set(day.name, day)
      from = day.to
    }
    return [...days.values()].sort((a, b) => Date.parse(a.from) - Date.parse(b.from))
  } finally {
    await client.query('rollback')
  }
}

const CONTENT = `
select count(*)::float8 as events, coalesce(sum(hash_record_extended(row(event_id, device_id, event_type, value_num, value_text,
  value_exact, unit, ts, ts_device, ts_device_local, ts_device_raw, ts_server, schema, meta), 0)), 0)::text as checksum ${arrived}`

export async function contentOf(client: pg.Client, { from, to }: ArrivalDay): Promise<DayContent> {
  const [content] = (await client.query<DayContent>(CONTENT, [from, to])).rows
  return content ?? { events: 0, checksum: '0' }
}
