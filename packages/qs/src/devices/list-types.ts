import type { Ask } from '../database/query-pool.ts'
import { MAX_SERIES } from './series.ts'

export interface TypeFilter {
  /** Only types of these devices. */
  readonly devices?: readonly string[]
  /** Text in the name. */
  readonly search?: string
  readonly limit: number
}

/** Maximum number of names that a search examines, since devices with a counter in the type create many. */
const MAX_NAMES = 50_000

const MATCHES = '($1::text is null or position(lower($1) in lower(event_type)) > 0)'

const OF_DEVICES = `
select distinct event_type from unnest($3::text[]) as d(device_id)
cross join lateral (select event_type from series s where s.device_id = d.device_id limit ${MAX_SERIES}) s
where ${MATCHES} order by event_type limit $2`

/** One index descent per name, regardless of the number of devices. */
const OF_ALL = `
with recursive names as (
  (select event_type, 1 as place from series order by event_type limit 1)
  union all
  select (select s.event_type from series s where s.event_type > n.event_type order by s.event_type limit 1), n.place + 1
  from names n where n.event_type is not null and n.place < ${MAX_NAMES}
)
select event_type from names where event_type is not null and ${MATCHES} order by event_type limit $2`

/** Event types in order of name. */
export async function listTypes(
  ask: Ask,
  { devices, search, limit }: TypeFilter,
): Promise<readonly string[]> {
  const rows = await (devices === undefined
    ? ask.query<{ event_type: string }>(OF_ALL, [search ?? null, limit])
    : ask.query<{ event_type: string }>(OF_DEVICES, [search ?? null, limit, devices]))
  return rows.map(({ event_type }) => event_type)
}
