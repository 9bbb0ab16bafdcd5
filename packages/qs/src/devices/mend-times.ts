import type { Config } from '../config/settings.ts'
import { ADVISORY_LOCKS } from '../database/advisory-locks.ts'
import type { Ask } from '../database/query-pool.ts'
import type { SeriesName } from './series.ts'

interface Mended {
  /** Events whose device time is another one now. */
  readonly events: number
  /** Sealed events that were unpacked for it; they are sealed again. */
  readonly unpacked: number
}

interface MendOptions {
  readonly deviceId: string
  /** The zone in which its times without an offset are to be read. */
  readonly zone: string
  readonly config: Pick<Config, 'DEVICE_CLOCK_MAX_PAST' | 'DEVICE_CLOCK_MAX_FUTURE'>
  readonly onSeries?: (done: number, total: number) => void
}

const SERIES =
  'select device_id as "deviceId", event_type as "eventType" from series where device_id = $1 order by 2'

/** As seal_next() and followEvents(), which then wait: neither sees events twice, or hours without their events. */
const LOCKS = `select pg_advisory_xact_lock($1), pg_advisory_xact_lock('event_segments'::regclass::oid::bigint)`

const COLUMNS = `event_id, device_id, event_type, value_num, value_text, unit, ts, ts_device, ts_device_local, ts_device_raw,
  ts_server, schema, meta, value_exact`

/**
 * The instant of a local time: of two, the one nearest to the arrival. One that does not exist is shifted forward, as
 * PostgreSQL does.
 */
const INSTANT = `
coalesce((
  select at from unnest(array[interval '0', '-1 hour', '1 hour', '-30 minutes', '30 minutes']) as shift,
    lateral (select (e.ts_device_local at time zone $3::text) + shift as at) c
  where c.at at time zone $3::text = e.ts_device_local
  order by abs(extract(epoch from c.at - e.ts_server)) limit 1), e.ts_device_local at time zone $3::text)`

/** Whole segments that have a wrong time. They become rows, which the job of the ingester seals again. */
const UNPACK = `
with wrong as materialized (
  select distinct e.segment_id from sealed_events e
  where e.device_id = $1 and e.event_type = $2 and e.ts_device_local is not null and e.ts_device <> ${INSTANT}
), unpacked as (
  insert into events (${COLUMNS})
  select ${COLUMNS} from sealed_events e where e.segment_id in (select segment_id from wrong)
    and e.device_id = $1 and e.event_type = $2
  returning 1
)
select count(*)::int as events, (select array_agg(segment_id) from wrong) as segments from unpacked`

const DROP_SEGMENTS = 'delete from event_segments where segment_id = any($1)'

/** A time that was implausible may be plausible now, and the other way round: then the arrival counts. */
const MEND = `
with wrong as materialized (
  select e.event_id, e.ts as old_ts, ${INSTANT} as at from events e
  where e.device_id = $1 and e.event_type = $2 and e.ts_device_local is not null
), mended as (
  update events e set ts_device = w.at,
    ts = case
      when w.at - e.ts_server between $4::float8 * interval '-1 millisecond' and $5::float8 * interval '1 millisecond' then w.at
      when e.ts = e.ts_device then e.ts_server else e.ts end
  from wrong w where e.event_id = w.event_id and e.ts_device <> w.at
  returning w.old_ts, e.ts
)
select count(*)::int as events, min(least(old_ts, ts))::text as first, max(greatest(old_ts, ts))::text as last from mended`

/** Without the hours of which retention has deleted events: their numbers cannot be counted again. */
const FORGET_HOURS = `
delete from event_hours h where device_id = $1 and event_type = $2
  and hour >= date_trunc('hour', $3::timestamptz, 'UTC') and hour <= $4::timestamptz
  and not exists (select from dropped_series d where d.device_id = $1 and d.event_type = $2 and d.dropped_to >= h.hour)`

const COUNT_HOURS = `
insert into event_hours (device_id, event_type, hour, unit, events, low, high, total)
select $1, $2, x.at, x.unit, x.events, x.low, x.high, x.total from event_hours_state,
  event_numbers($1, $2, date_trunc('hour', $3::timestamptz, 'UTC'),
    least(covered_to, date_trunc('hour', $4::timestamptz, 'UTC') + interval '1 hour'), '1 hour') x
on conflict do nothing`

const RECOUNT = 'select recount_series(array[$1])'

/**
 * Reads the local times of a device in another zone, in all its history, series by series. A device that sends an event
 * again still gets `duplicate`: content is the local time as sent (docs/decisions/0003).
 *
 * @param ask a connection of the owner, outside a transaction
 */
export async function mendTimes(
  ask: Ask,
  { deviceId, zone, config, onSeries }: MendOptions,
): Promise<Mended> {
  const series = await ask.query<SeriesName>(SERIES, [deviceId])
  let [events, unpacked] = [0, 0]
  for (const [index, each] of series.entries()) {
    const mended = await mendSeries(ask, each, { zone, config })
    events += mended.events
    unpacked += mended.unpacked
    onSeries?.(index + 1, series.length)
  }
  if (events > 0) await ask.query(RECOUNT, [deviceId])
  return { events, unpacked }
}

async function mendSeries(
  ask: Ask,
  { deviceId, eventType }: SeriesName,
  { zone, config }: Pick<MendOptions, 'zone' | 'config'>,
): Promise<Mended> {
  const key = [deviceId, eventType]
  await ask.query('begin')
  try {
    await ask.query(LOCKS, [ADVISORY_LOCKS.hours])
    const [sealed] = await ask.query<{ events: number; segments: readonly string[] | null }>(UNPACK, [
      ...key,
      zone,
    ])
    if (sealed?.segments) await ask.query(DROP_SEGMENTS, [sealed.segments])
    const { DEVICE_CLOCK_MAX_PAST: past, DEVICE_CLOCK_MAX_FUTURE: future } = config
    const [row] = await ask.query<{ events: number; first: string | null; last: string | null }>(MEND, [
      ...key,
      zone,
      past,
      future,
    ])
    if (row?.first != null) {
      await ask.query(FORGET_HOURS, [...key, row.first, row.last])
      await ask.query(COUNT_HOURS, [...key, row.first, row.last])
    }
    await ask.query('commit')
    return { events: row?.events ?? 0, unpacked: sealed?.events ?? 0 }
  } catch (error) {
    await ask.query('rollback').catch(() => {})
    throw error
  }
}
