/*
 * Pieces that several queries share. Macros and variables are replaced by Grafana before PostgreSQL sees them;
 * test/support/expand.ts does the same for the tests.
 */

/** One point of a chart as wide as Grafana's `$__interval`, counted from 1970 in UTC; no macro, so that plain SQL shows what it does. */
export function bucket(column: string): string {
  return `date_bin(make_interval(secs => $__interval_ms / 1000.0), ${column}, 'epoch'::timestamptz)`
}

/** A sum over a bucket as a rate per minute. */
export function perMinute(column: string): string {
  return `(sum(${column}) * 60000.0 / $__interval_ms)::float8`
}

/*
 * Series are asked for through functions of the database (migrations/0006_series.sql): PostgreSQL puts them into the
 * query, and a cluster of Citus has its own (docs/scaling.md).
 */

/** `series`: every device and type there is. */
export const SERIES = 'series as (select * from event_series())'

/** `series` of the device that is chosen, each with its newest event. */
export const SERIES_OF_DEVICE = 'series as (select * from series where device_id = ${device:sqlstring})'

/** The newest event of a pair of `series`, as `latest`. */
export const LATEST = 'newest_events(series.device_id, series.event_type, 1) as latest'

/** The events of a pair of `series`, or of `voices`, in the time that is shown. */
export function eventsOf(pair: 'series' | 'voices'): string {
  return `events_between(${pair}.device_id, ${pair}.event_type, $__timeFrom(), $__timeTo())`
}

/** The median time between the last fifty events of a pair of `series`, as `pace.seconds`; null before the second. */
export const PACE = `lateral (
  select percentile_cont(0.5) within group (order by gap) as seconds
  from (
    select date_part('epoch', ts - lag(ts) over (order by ts)) as gap
    from newest_events(series.device_id, series.event_type, 50)
  ) as gaps
) as pace`

/** A value for people: the number or the text, with its unit. */
export function readable(row: string): string {
  return `coalesce(${row}.value_num::text, ${row}.value_text, '–') || coalesce(' ' || ${row}.unit, '')`
}

/**
 * `voices`: of each device its most talkative sensor (whose twentieth last event is the newest). All events of a
 * message share one clock and one delay, so for clocks and delays one sensor tells as much as all of them, at a
 * quarter of the cost with four: "Clocks in this time" over 333,000 events of a day, on a busy machine, took 240 ms
 * instead of 890.
 */
export const VOICES = `${SERIES},
voices as (
  select distinct on (device_id) device_id, event_type
  from series left join lateral (
    select ts from newest_events(series.device_id, series.event_type, 20)
    order by ts desc offset 19 limit 1
  ) as twentieth on true
  order by device_id, twentieth.ts desc nulls last
)`

/**
 * The times of the events of `voices` in the time that is shown, as `told`. `offset 0` keeps the planner from joining
 * with all events of that time.
 */
export const TOLD = `voices, lateral (
  select ts, ts_device, ts_server, ts_device_raw from ${eventsOf('voices')}
  offset 0
) as told`

/** As `points`: how far the clock of each of `voices` was ahead at most in each piece of time; late events count for nothing so. */
export function offsetPoints(piece: string): string {
  return `voices, lateral (
  select ${piece} as piece, date_part('epoch', max(ts_device - ts_server)) as ahead
  from ${eventsOf('voices')}
  where ts_device = ts
  group by 1
) as points`
}
