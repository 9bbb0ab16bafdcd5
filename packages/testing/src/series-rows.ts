import type pg from 'pg'

const COLUMNS = `device_id, event_type, events::int as events, first_ts, first_seen, last_seen, ts, event_id, value_num,
  value_text, unit, ts_device, ts_device_readable, ts_server`

/** What the rows of `series` must be, computed in another way than in the product. */
const EXPECTED = `
select distinct on (device_id, event_type)
  device_id, event_type, count(*) over same as events, min(ts) over same as first_ts,
  min(ts_server) over same as first_seen, max(ts_server) over same as last_seen,
  ts, event_id, value_num, left(value_text, 200) as value_text, unit, ts_device,
  ts_device_raw is null as ts_device_readable, ts_server
from events window same as (partition by device_id, event_type)
order by device_id, event_type, ts desc, event_id desc`

/** As texts, so that no digit of a time is lost. */
const asTexts = (query: string) => `select (x.*)::text as row from (${query}) x order by 1`

export interface SeriesRows {
  readonly kept: readonly string[]
  readonly expected: readonly string[]
}

/** The rows of `series`, and what they would be if computed from `events` now. */
export async function seriesRows(client: pg.Client): Promise<SeriesRows> {
  const read = async (query: string) =>
    (await client.query<{ row: string }>(asTexts(query))).rows.map(({ row }) => row)
  return {
    kept: await read(`select ${COLUMNS} from series`),
    expected: await read(`select ${COLUMNS} from (${EXPECTED}) e`),
  }
}
