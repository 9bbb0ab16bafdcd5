import type { Ask } from '../../qs/src/database/query-pool.ts'

export const FLEET_TYPES = 5

/**
 * Fills `devices` and `series` like a fleet, without its events: ids of equal length, 400 rooms, five types each. Every
 * hundredth device is silent, as is one sensor of every fiftieth; every tenth clock is minutes off; the seventh device
 * has a label.
 */
export async function fillFleet(ask: Ask, devices: number): Promise<void> {
  await ask.query(
    `insert into devices (device_id, first_seen, last_seen, silent_after, silent_series, label, room)
    select 'esp32-' || lpad(i::text, 5, '0'), now() - interval '2 days',
      now() - case when i % 100 = 0 then interval '1 hour 0.123456 s' else i * interval '1 ms' end, 1800, (i % 50 = 1)::int,
      case when i = 7 then 'Küche' end, 'Room ' || i % 400
    from generate_series(1, $1::int) i`,
    [devices],
  )
  await ask.query(
    `insert into series (device_id, event_type, events, first_ts, first_seen, last_seen, every_seconds, ts, event_id, value_num,
      unit, ts_device, ts_device_readable, ts_server, silent_after)
    select 'esp32-' || lpad(i::text, 5, '0'), 'type' || j, 100, now() - interval '1 day', now() - interval '1 day',
      at - case when i % 50 = 1 and j = 4 then interval '1 hour' else '0' end, 20, at,
      'e' || i || '-' || j, 100 + (i * 5 + j) % 100, '°C', at, true,
      at - case when i % 10 = 0 then 100 + i else 1.5 end * interval '1 s', 1800
    from generate_series(1, $1::int) i, generate_series(0, $2 - 1) j, (select now() - interval '5 s' as at) x`,
    [devices, FLEET_TYPES],
  )
  await summarize(ask)
}

/** Updates the summaries of devices as the ingester does with each batch. */
export async function summarize(ask: Ask): Promise<void> {
  // Before the update, which looks into it for each device.
  await ask.query('vacuum analyze series')
  await ask.query(`update devices d set (types, clock, clock_offset) =
    (select r.types, r.clock, r.clock_offset from summary_of(d.device_id) r)`)
  await ask.query('vacuum analyze devices')
}
