import type { QueryConfig } from 'pg'
import { EVENT_INPUT, type EventRow, eventRowsJson } from './event-rows.ts'

/**
 * Tells duplicates from conflicts: the same content as what is stored, or another. Content is what the device
 * sent. So a time without offset is compared as the wall time that it is, since its instant depends on the
 * zone in the settings and, in autumn, on when it arrived; and neither ts nor ts_server counts, nor an age
 * that an older version kept in meta. What was too long for
 * a ts_device is stored cut, so its beginning is compared: the limit may have been another when it came first. A number
 * whose digits a double cannot hold is compared by these digits, unless it was stored before they were kept.
 */
const SQL = `
select
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
  e.device_id = i.device as own
from (
  select *, row_number() over () as place from ${EVENT_INPUT}
) i
join events e on e.event_id = i.id`

export interface Comparison {
  /** Into the rows that were asked for. One that has no comparison is not stored. */
  readonly index: number
  /** Of the stored event. */
  readonly tsServer: string
  readonly same: boolean
  /** The stored event is of the same device. */
  readonly own: boolean
}

/**
 * Without a name, so that it is planned each time: a plan that was made while the table was small would read all of it
 * for every batch, until the table is analyzed.
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
