import type { Client } from 'pg'

/** A year of one device that sends every half minute, and 59 that send now and then. */
const SQL = `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema)
select 'bench-' || n, case when n % 2 = 0 then 'board-00' else 'board-' || lpad((1 + n / 2 % 59)::text, 2, '0') end, 'load',
  50 + 40 * sin(n / 30000.0) + random() * 10, 'W', at, at, at, 1
from (
  select n, now() - (1 - n::float8 / $3::int) * interval '365 days' as at from generate_series($1::int, $2::int - 1) n) x`

const PART = 100_000

/** Makes `events` events in order of arrival, half of them in one series: board-00, load. */
export async function fillYear(
  client: Client,
  events: number,
  onProgress: (share: number) => void,
): Promise<void> {
  for (let from = 0; from < events; from += PART) {
    await client.query(SQL, [from, Math.min(events, from + PART), events])
    onProgress(from / events)
  }
  await client.query(`
    insert into devices (device_id, first_seen, last_seen)
    select device_id, min(ts_server), max(ts_server) from events group by 1`)
  await client.query('select recount_series()')
  await client.query('vacuum analyze events')
}
