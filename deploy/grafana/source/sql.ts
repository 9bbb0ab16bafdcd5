/*
 * SQL shared by several queries. Grafana replaces variables in the browser and then macros on the server, so a macro in
 * an id would run. test/support/expand.ts does both for the tests.
 */

/** One point of a chart as wide as Grafana's `$__interval`, counted from 1970 in UTC. */
export function bucket(column: string): string {
  return `date_bin(make_interval(secs => $__interval_ms / 1000.0), ${column}, 'epoch'::timestamptz)`
}

/** A sum over a bucket as a rate per minute. */
export function perMinute(column: string): string {
  return `(sum(${column}) * 60000.0 / $__interval_ms)::float8`
}

/**
 * The value of a variable, as text. An id may hold `'`, `"`, `\` or `$word(`. Grafana's `sqlstring` writes `\"` for `"`,
 * and its server takes `$word(` for a macro and refuses the query. So values enter the SQL percent-encoded, which leaves
 * letters, digits and `-_.~%`, and PostgreSQL decodes them.
 */
export function chosen(variable: string): string {
  return `(
  select coalesce(convert_from(string_agg(
    case when part[1] is null then convert_to(part[2], 'UTF8') else decode(part[1], 'hex') end, '' order by place), 'UTF8'), '')
  from regexp_matches('\${${variable}:percentencode}', '%([0-9A-F]{2})|([^%]+)', 'g') with ordinality as parts(part, place)
)`
}

/** The value of a multi-value variable for All, so that no query lists 20,000 devices. */
export const ALL = '*'

/**
 * Whether a column is among the values of a multi-value variable. Grafana writes them as `{a,b}`, a single one as `a`
 * or `{a}`, and none as an empty text or `{}`.
 */
export function isChosen(column: string, variable: string): string {
  const list = chosen(variable)
  return `(select choice in ('${ALL}', '{${ALL}}') or choice = ${column} or strpos(',' || trim(both '{}' from choice) || ',', ',' || ${column} || ',') > 0
    from (select ${list} as choice) as choices)`
}

/*
 * Series are read through functions of the database (migrations/0006_series.sql): PostgreSQL inlines them, and a Citus
 * cluster has its own (docs/scaling.md).
 */

/** `series` of the chosen device, each with its newest event. */
export const SERIES_OF_DEVICE = `series as (select * from series where device_id = ${chosen('device')})`

/** The newest event of a pair of `series`, as `latest`. */
export const LATEST = 'newest_events(series.device_id, series.event_type, 1) as latest'

/** The events of a pair of `series` in the time range. */
export const EVENTS = 'events_between(series.device_id, series.event_type, $__timeFrom(), $__timeTo())'

/** The display name of a row of `devices`. */
export const DEVICE_NAME = `coalesce(nullif(label, ''), device_id)`

/** A number with six significant digits, a whole number with all of its digits: 21.499999999999996 is 21.5. */
export function shortNumber(value: string): string {
  return `case
  when ${value} = 0 then '0'
  when abs(${value}) between 1e-4 and 1e15
    then trim_scale(round(${value}::numeric, greatest(0, 5 - floor(log(abs(${value})))::int)))::text
  else trim(to_char(${value}, '9.99999EEEE'))
end`
}

/** The number or the text of a row, with its unit. */
export function readable(row: string): string {
  return `coalesce(${shortNumber(`${row}.value_num`)}, ${row}.value_text, '–') || coalesce(' ' || nullif(${row}.unit, ''), '')`
}

/** A query for the unit of a chart: that of the column `unit`, if all rows have the same. */
export function unitOf(rows: string): string {
  return `select case when min(unit) = max(unit) and min(unit) <> '' then 'suffix:' || min(unit) else 'short' end as unit
from ${rows}`
}

/**
 * The points of a chart, as columns `time`, `values` and `of` (the column that names a line), with a row of nulls in
 * each gap, where Grafana would otherwise draw a straight line. A gap is longer than three times the usual distance: the
 * median of the line, or the shortest of the three before or after, so that a change of interval is not a gap.
 */
export function withGaps(points: string, values: readonly string[], of?: string): string {
  const name = of === undefined ? '' : `"${of}", `
  const line = of === undefined ? '' : `partition by "${of}" `
  const listed = values.map((value) => `"${value}"`).join(', ')
  return `
points as (${points}
),
spaced as (
  select *, lead(time) over (${line}order by time) - time as distance from points
),
judged as (
  select *, greatest(
    min(distance) over (${line}order by time rows between 3 preceding and 1 preceding),
    min(distance) over (${line}order by time rows between 1 following and 3 following)) as around
  from spaced
),
usual as (
  select ${name}percentile_cont(0.5) within group (order by distance) as median from spaced${of === undefined ? '' : ` group by "${of}"`}
)
select time, ${name}${listed} from points
union all
select time + distance / 2, ${name}${values.map(() => 'null::float8').join(', ')}
from judged ${of === undefined ? 'cross join usual' : `join usual using ("${of}")`}
where distance > 3 * greatest(around, median)
order by 1`
}

/**
 * A panel reads events of at most this many devices, those seen last. With all of 20,000 devices, "Drift" took 3.6 s of
 * CPU and "Gaps" 3.8 s, and "Clock offset over time" sent 437,000 rows.
 */
export const MOST_DEVICES = 1_000

/**
 * `voices`: the busiest sensor of each device, or of each for which a condition on `device_id` holds: the one whose
 * twentieth last event is the newest. The row of `series` estimates that time; with 100,000 series, a panel of two
 * devices took 8.4 s while it read the twentieth last events, and now takes 1.8 s. All events of a message share one
 * clock and one delay, so one sensor shows as much of these as all of them, at a quarter of the cost with four.
 * With `atMost`, only that many devices, those seen last.
 */
export function voices(condition = 'true', atMost?: number): string {
  const all = `
  select distinct on (device_id) device_id, event_type, last_seen
  from series
  where ${condition}
  order by device_id, ts - make_interval(secs => 19 * every_seconds) desc nulls last`
  if (atMost === undefined) return `voices as (${all}\n)`
  return `voices as (
  select * from (${all}\n  ) as every_voice
  order by last_seen desc nulls last
  limit ${atMost}
)`
}

/** All series that `series` has, as `devices` and `types` of one row: the arguments of functions of several series. */
export function pairsOf(series: string): string {
  return `(select array_agg(device_id) as devices, array_agg(event_type) as types from ${series}) as pairs`
}

/** The times of their events in the time range, as rows of `told`. */
export function timesOf(series: string): string {
  return `${pairsOf(series)}, times_between(devices, types, $__timeFrom(), $__timeTo()) as told`
}

export const TOLD = timesOf('voices')

/** As `points`: the most that each clock of `voices` was ahead in each piece of time, so late events do not count. */
export function offsetPoints(piece: string): string {
  return `(
  select device_id, ${piece} as piece, ${milliseconds('max(ts_device - ts_server)')} as ahead
  from ${TOLD}
  where ts_device = ts
  group by 1, 2
) as points`
}

/** An interval in seconds, to the millisecond: clocks are not known more precisely, and Grafana would show µs. */
export function milliseconds(interval: string): string {
  return `round(date_part('epoch', ${interval})::numeric, 3)::float8`
}
