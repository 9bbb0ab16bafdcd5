import { Client } from 'pg'
import { treeCpuSeconds } from '../runs/process-usage.ts'

export const BOARDS = 30
export const SENSORS = ['temp', 'humidity', 'pressure', 'power', 'co2'] as const
export const DAY_MS = 86_400_000
/** Every 10.003 seconds: a board that counts with its own crystal. */
const ROUNDS_A_DAY = 8_637
export const EVENTS_A_DAY = BOARDS * SENSORS.length * ROUNDS_A_DAY

export type Ids = 'ordered' | 'random'

const ID: Readonly<Record<Ids, string>> = {
  ordered: `d || '-3-' || (i * 5 + k)`,
  random: 'gen_random_uuid()::text',
}

/**
 * Rounds $2 to $3 of every second board from $4 on, beginning at $1: device times in ms, server times in µs, two or three
 * decimals, a meta on every fifth.
 */
const rows = (ids: Ids) => `
insert into events (event_id, device_id, event_type, value_num, unit, ts, ts_device, ts_server, schema, meta)
select ${ID[ids]}, d, (array['${SENSORS.join("','")}'])[k],
  round((case k when 1 then 20 + 4 * sin(i / 1400.0) + random() * 0.1 when 2 then 55 + 8 * sin(i / 2000.0) + random() * 0.3
    when 3 then 1013 + 6 * sin(i / 9000.0) + random() * 0.05 when 4 then 230 + 120 * random()
    else 600 + 200 * sin(i / 1100.0) + random() * 5 end)::numeric, (array[2, 2, 2, 3, 0])[k])::float8,
  (array['°C', '%', 'hPa', 'W', 'ppm'])[k], at, at,
  at + round(8000 + random() * 30000 + case when random() < 0.01 then random() * 1e6 else 0 end) * interval '1 microsecond', 1,
  case when i % 5 = 0 then jsonb_build_object('rssi', -50 - (random() * 20)::int, 'heap', 180000 + (random() * 4000)::int) end
from (
  select i, k, 'board-' || lpad(b::text, 2, '0') as d,
    $1::timestamptz + i * interval '10.003 seconds' + (b * 311 + k * 2 + (random() * 6)::int) * interval '1 millisecond' as at
  from generate_series($2::int, $3::int) i, generate_series($4::int, ${BOARDS}, 2) b, generate_series(1, 5) k) x`

const SEAL = `
do $$ declare one record; begin
  for one in select distinct device_id, event_type from events loop
    while seal_series(one.device_id, one.event_type, now(), now(), 20000) > 0 loop null; end loop;
  end loop;
end $$`

/** Segments $1 spans of $2 earlier, with ids of another boot: they are of the same size, and contents of their own. */
const REPEAT = `
insert into event_segments (device_id, event_type, events, texts, misdated, first_ts, last_ts, first_seen, last_seen, first_device,
  last_device, id_prefix, id_steps, ts_steps, server_after, device_after, numbers, units, schemas, metas, id_uuids, id_heads, content)
select device_id, event_type, events, texts, misdated, first_ts - by, last_ts - by, first_seen - by, last_seen - by, first_device - by,
  last_device - by, p.id_prefix, s.id_steps, s.ts_steps, s.server_after, s.device_after, s.numbers, s.units, s.schemas, s.metas,
  s.id_uuids, s.id_heads, sha256(record_send(row(p.id_prefix, s.id_uuids, s.id_heads, s.id_steps, s.ts_steps, s.server_after,
    s.device_after, s.local_after, s.device_raws, s.numbers, s.strings, s.exacts, s.units, s.schemas, s.metas)))
from (select * from event_segments where id_prefix like '%-3-') s
cross join (select $1::int * $2::interval as by) b
cross join lateral (select replace(s.id_prefix, '-3-', '-' || (10 + $1::int) || '-') as id_prefix) p`

export interface Fleet {
  readonly ids: Ids
  /** The first instant. */
  readonly from: Date
  readonly days: number
}

export interface Sealed {
  readonly events: number
  /** Of the backends, for the sealing alone. */
  readonly cpuSeconds: number
}

/**
 * Seals the days of a fleet by the function that the ingester calls, in two sessions. Their rows are in a temporary table
 * `events`, which a session finds before the real one: what a row costs to insert is not what is measured.
 */
export async function sealDays(url: string, fleet: Fleet, onDay: (day: number) => void): Promise<Sealed> {
  const halves = await Promise.all([1, 2].map((board) => sealHalf(url, fleet, board, onDay)))
  return {
    events: halves.reduce((sum, { events }) => sum + events, 0),
    cpuSeconds: halves.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
  }
}

async function sealHalf(
  url: string,
  { ids, from, days }: Fleet,
  board: number,
  onDay: (day: number) => void,
): Promise<Sealed> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const pid = await backendOf(client)
    let [cpuSeconds, events] = [0, 0]
    await client.query(`
      set synchronous_commit = off; set temp_buffers = '256MB';
      create temp table events (like public.events including defaults);
      create index on events (device_id, event_type, ts)`)
    for (let day = 0; day < days; day++) {
      await client.query('truncate events')
      const range = [day * ROUNDS_A_DAY, (day + 1) * ROUNDS_A_DAY - 1]
      const { rowCount } = await client.query(rows(ids), [from, ...range, board])
      await client.query('analyze events')
      const before = treeCpuSeconds(pid) ?? Number.NaN
      await client.query(SEAL)
      cpuSeconds += (treeCpuSeconds(pid) ?? Number.NaN) - before
      events += rowCount ?? 0
      onDay(day)
    }
    return { events, cpuSeconds }
  } finally {
    await client.end()
  }
}

export async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  return rows[0]?.pid ?? 0
}

/** Repeats the sealed days this many times, each time a span earlier. */
export async function repeatDays(client: Client, times: number, days: number): Promise<void> {
  for (let time = 1; time <= times; time++) await client.query(REPEAT, [time, `${days} days`])
}

/** Days of rows in `events`, as the ingester would have stored them, and a year of numbers by the hour of one board. */
export async function fillRows(client: Client, from: Date, days: number): Promise<void> {
  for (let day = 0; day < days; day++)
    for (const board of [1, 2]) {
      const range = [day * ROUNDS_A_DAY, (day + 1) * ROUNDS_A_DAY - 1]
      await client.query(rows('ordered').replace(`'-3-'`, `'-4-'`), [from, ...range, board])
    }
  await client.query(`
    insert into event_hours (device_id, event_type, hour, events, low, high, total, unit)
    select d, t, h, 360, 1, 3, 720, '' from (values ('board-15')) x(d),
      unnest(array['${SENSORS.join("','")}']) t,
      generate_series(date_trunc('hour', now()) - interval '365 days', date_trunc('hour', now()) - interval '1 hour', '1 hour') h;
    update event_hours_state set covered_to = date_trunc('hour', now());
    select recount_series()`)
  await client.query('vacuum analyze')
}
