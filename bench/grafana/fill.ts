import type { Client } from 'pg'

/** The types that a device sends, with their units. */
const UNITS = { temp: '°C', humidity: '%', rssi: 'dBm', battery: 'V', heap: 'B' }
export const MAX_TYPES = Object.keys(UNITS).length
const ROWS_PER_STATEMENT = 500_000

/**
 * Ticks of a fleet in order of arrival. Ids look like `<device>-<boot>-<seq>`, every tenth device has a drifting clock,
 * one event in two hundred is late by up to an hour, one in a thousand has a clock in 1970, and one in five hundred is
 * a text.
 */
const EVENTS = `
insert into events (event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_server, schema, meta)
select
  format('%s-0001-%s', device_id, lpad((tick * $6::int + type)::text, 9, '0')),
  device_id,
  case when is_text then 'log' else ($7::text[])[type + 1] end,
  case when not is_text then 20 + 5 * sin(tick / 800.0 + device) + random() end,
  case when is_text then 'free heap 41 KiB, largest block 17 KiB' end,
  case when not is_text then ($8::text[])[type + 1] end,
  case when is_1970 then ts_server else ts_device end,
  case when is_1970 then '1970-01-01'::timestamptz + interval '1 minute' else ts_device end,
  ts_server,
  1,
  case when device % 5 < 2 then jsonb_build_object('firmware', '1.4.2', 'room', 'hall') end
from (
  select *,
    ts_server - interval '80 milliseconds'
      + case when device % 10 = 0 then ts_server - $3::timestamptz else interval '0' end * 0.00012
      - case when random() < 0.005 then random() * interval '1 hour' else interval '0' end as ts_device
  from (
    select tick, device, type,
      'bench-' || lpad(device::text, 5, '0') as device_id,
      $3::timestamptz + tick * $4::interval + (device * $6::int + type) * $4::interval / ($5::int * $6::int) as ts_server,
      random() < 0.002 as is_text,
      random() < 0.001 as is_1970
    from generate_series($1::bigint, $2::bigint) as tick,
      generate_series(0, $5::int - 1) as device,
      generate_series(0, $6::int - 1) as type
  ) as sent
) as events`

const others = (days: number) => [
  `insert into devices (device_id, first_seen, last_seen)
   select device_id, min(ts_server), max(ts_server) from events group by device_id`,
  `insert into ingest_stats (minute, writer, messages, received, stored, duplicate, rejected)
   select minute, writer, 60, 121, 115, 5, 1
   from generate_series(date_trunc('minute', now() - interval '${days} days'), now(), interval '1 minute') as minute,
     unnest(array['bench/1', 'bench/2']) as writer`,
  `insert into dead_letters (received_at, topic, device_id, event_id, code, error, trace, payload, fingerprint)
   select now() - n * interval '${days} days' / 10000, 'qs/v1/bench-00001/events', 'bench-00001', null,
     (array['INVALID_JSON', 'MISSING_FIELD', 'EVENT_ID_CONFLICT'])[n % 3 + 1], 'What is wrong. What to do.', 'bench',
     convert_to(repeat('{"value":', 20), 'UTF8'), md5(n::text)::uuid
   from generate_series(0, 9999) as n`,
  'select recount_series()',
  // Autovacuum would do this some minutes after an insert.
  'vacuum (analyze)',
]

export interface Fleet {
  /** Events, to the nearest tick of the whole fleet. */
  readonly rows: number
  readonly days: number
  readonly devices: number
  /** Series per device, up to MAX_TYPES. */
  readonly types: number
}

/** Fills an empty database. */
export async function fillDatabase(
  client: Client,
  { rows, days, devices, types }: Fleet,
  onProgress: (share: number) => void,
): Promise<void> {
  const ticks = Math.max(1, Math.round(rows / (devices * types)))
  const names = Object.keys(UNITS)
  const units = Object.values(UNITS)
  const start = new Date(Date.now() - days * 86_400_000)
  const interval = `${(days * 86_400_000) / ticks} milliseconds`
  const step = Math.ceil(ROWS_PER_STATEMENT / (devices * types))
  for (let first = 0; first < ticks; first += step) {
    const last = Math.min(ticks, first + step) - 1
    await client.query(EVENTS, [first, last, start, interval, devices, types, names, units])
    onProgress((last + 1) / ticks)
  }
  for (const sql of others(days)) await client.query(sql)
}
