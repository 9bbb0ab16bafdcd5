import type { QueryConfig } from 'pg'
import { EVENT_COLUMNS, EVENT_INPUT, type EventRow, eventRowsJson } from './event-rows.ts'

/**
 * Returns null if all rows are new, which is the common case and costs nothing to read; otherwise the new ids. The rows
 * are sorted by id, so that two writers with the same ids wait and do not deadlock.
 */
const SQL = `
with inserted as (
  insert into events (${EVENT_COLUMNS})
  select id, device, type, num, txt, unit, ts, dev, local, raw, srv, schema, meta, exact
  from ${EVENT_INPUT}
  on conflict (event_id) do nothing
  returning event_id
)
select case when (select count(*) from inserted) < $2 then array(select event_id from inserted) end as new_ids`

/** @param rows with distinct event_ids, sorted by event_id */
export function insertEvents(rows: readonly EventRow[]): QueryConfig {
  return { name: 'insert-events', text: SQL, values: [eventRowsJson(rows), rows.length] }
}
