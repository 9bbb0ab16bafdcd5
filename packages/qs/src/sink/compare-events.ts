import type { QueryConfig } from 'pg'
import { EVENT_INPUT, type EventRow, eventRowsJson } from './insert-events.ts'

/**
 * Tells duplicates from conflicts: the same content as the stored event, or different content. Content is what the
 * device sent. So a time without an offset is compared as local time, since its instant depends on the zone in the
 * settings and, in autumn, on when it arrived. ts and ts_server do not count, nor does an age that an older version
 * kept in meta. A ts_device that was too long is stored truncated, so only the beginning is compared: the limit may
 * have been different then. A number that a double cannot represent is compared by its digits, unless it was stored
 * before they were kept.
 */
export const COMPARISON = `
  i.place - 1 as index,
  to_char(e.ts_server at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ts_server,
  (e.device_id, e.event_type, e.value_num, e.value_text, e.unit, e.ts_device_local, e.schema)
    is not distinct from (i.device, i.type, i.num, i.txt, i.unit, i.local, i.schema)
    and (e.meta is not distinct from i.meta
      or e.meta #> '{_extra,age_ms}' is not null and e.meta #- '{_extra,age_ms}'
        = case when i.meta ? '_extra' then i.meta else coalesce(i.meta, '{}') || '{"_extra": {}}' end)
    and (e.value_exact = '' or e.value_exact is not distinct from i.exact)
    and (i.local is not null or e.ts_device is not distinct from i.dev)
    and (e.ts_device_raw is not distinct from i.raw
      or e.ts_device_raw like '%…' and starts_with(i.raw, left(e.ts_device_raw, -1))
      or i.raw like '%…' and starts_with(e.ts_device_raw, left(i.raw, -1))) is true as same,
  e.device_id = i.device as own`

const SQL = `
select ${COMPARISON}
from (
  select *, row_number() over () as place from ${EVENT_INPUT}
) i
join events e on e.event_id = i.id`

export interface Comparison {
  /** Index into the rows given. A row without a comparison is not stored. */
  readonly index: number
  /** Server time of the stored event. */
  readonly tsServer: string
  readonly same: boolean
  /** The stored event is from the same device. */
  readonly own: boolean
}

/**
 * Unnamed, so that it is planned each time: a plan made while the table was small would read the whole table for every
 * batch until the next ANALYZE.
 */
export function compareEvents(rows: readonly EventRow[]): QueryConfig {
  return { text: SQL, values: [eventRowsJson(rows)] }
}

export function readComparisons(rows: readonly Record<string, unknown>[]): readonly Comparison[] {
  return rows.map((row) => ({
    index: Number(row.index),
    tsServer: String(row.ts_server),
    same: row.same === true,
    own: row.own === true,
  }))
}
