import type { Line, Series, TimeAxis } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'
import { bucketWidth } from '../../devices/bucket-width.ts'
import type { SeriesName } from '../../devices/series.ts'
import { AXIS_BOUNDS, AXIS_COLUMNS } from './time-axis.ts'

export interface SeriesQuestion {
  readonly series: readonly SeriesName[]
  /** RFC 3339 text, since a Date has only milliseconds. `from` is inclusive, `to` exclusive. */
  readonly from: string
  readonly to: string
  /** Maximum number of points per line: the width of the chart. */
  readonly points: number
  readonly axis: TimeAxis
}

/** Points in one answer: fifty lines of 800, about 5 MB of JSON and 30 MB to build it. More series get fewer each. */
const [MAX_POINTS, MIN_POINTS] = [40_000, 10]

/** Lines per series. A series changes its unit once or twice; more units are a counter in the wrong field. */
const MAX_UNITS = 8

const SERIES = `unnest($1::text[], $2::text[]) as s(device_id, event_type)`

/** Events of one series from $3 to $4. By the other axes, segments have no order, and all their columns are unpacked. */
const numbers = (axis: TimeAxis) =>
  axis === 'event' ? 'numbers_between($1, $2, $3, $4)' : `events_on_axis($1, $2, '${axis}', $3, $4)`

/** Events of one series. One extra row shows that they do not fit. */
const single = (axis: TimeAxis) => `
select $1::text as "deviceId", $2::text as "eventType", nullif(unit, '') as unit,
  extract(epoch from ${AXIS_COLUMNS[axis]})::float8 as time, value_num as value
from ${numbers(axis)} where value_num is not null
order by ${AXIS_COLUMNS[axis]} limit $5`

/** The series of which the segments within the range already hold more events than fit: no need to unpack them for that. */
const tooDense = (axis: TimeAxis) => `
select s.device_id as "deviceId", s.event_type as "eventType" from ${SERIES}
where $5 < (
  select sum(x.events - x.texts) from event_segments x
  where x.device_id = s.device_id and x.event_type = s.event_type
    and x.${AXIS_BOUNDS[axis].last} >= $3 and x.${AXIS_BOUNDS[axis].first} >= $3 and x.${AXIS_BOUNDS[axis].last} < $4)`

/** The buckets of `pieces`, by unit; for a series with too many units, those with the most events. */
const BUCKETS = `,
buckets as (
  select device_id, event_type, unit, at, sum(events) as events, min(low) as low, max(high) as high, sum(total) as total
  from pieces group by device_id, event_type, unit, at
), counted as (
  select *, sum(events) over (partition by device_id, event_type, unit) as of_unit from buckets
), ranked as (
  select *, dense_rank() over (partition by device_id, event_type order by of_unit desc, unit) as rank from counted
)
select device_id as "deviceId", event_type as "eventType", nullif(unit, '') as unit,
  extract(epoch from at)::float8 as time, events::int, low, high, total / events::float8 as mean
from ranked where rank <= ${MAX_UNITS} order by device_id, event_type, at`

/** Buckets of one series for any time axis, with the rules of event_numbers. */
const bucketed = (axis: TimeAxis) => `
with pieces as (
  select $1::text as device_id, $2::text as event_type, coalesce(unit, '') as unit,
    date_bin($5::interval, ${AXIS_COLUMNS[axis]}, 'epoch') as at,
    count(*) as events, min(value_num) as low, max(value_num) as high,
    coalesce(sum(value_num) filter (where abs(value_num) < 1e300), 0) as total
  from ${numbers(axis)} where value_num is not null
  group by 3, 4
)${BUCKETS}`

/** The whole hours from $1 to $2 that event_hours covers; no row if it covers none. */
export const COVERED = `
select since::text as "from", until::text as "to" from (
  select date_bin('1 hour', $1::timestamptz + interval '1 hour' - interval '1 microsecond', 'epoch') as since,
    least(date_bin('1 hour', $2::timestamptz, 'epoch'), covered_to) as until
  from event_hours_state where covered_to is not null) h
where since < until`

/**
 * Reads the numbers by the hour, and the events at both ends: the hour in which the range begins, and the last hours,
 * which are not counted yet.
 */
export const HOURLY = `
with pieces as (
  select s.device_id, s.event_type, h.unit, date_bin($5::interval, h.hour, 'epoch') as at, h.events, h.low, h.high, h.total
  from ${SERIES} join event_hours h on h.device_id = s.device_id and h.event_type = s.event_type
  where h.hour >= $6 and h.hour < $7
  union all
  select s.device_id, s.event_type, x.unit collate "C", x.at, x.events, x.low, x.high, x.total
  from ${SERIES}
  cross join (values ($3::timestamptz, $6::timestamptz), ($7::timestamptz, $4::timestamptz)) as r(from_ts, to_ts)
  cross join lateral event_numbers(s.device_id, s.event_type, r.from_ts, r.to_ts, $5::interval) x
)${BUCKETS}`

/**
 * One query per series, a few at a time: on Citus each is distributed over the shards, unlike a lateral join over a
 * list of series.
 */
function ofEach<Row>(
  ask: Ask,
  series: readonly SeriesName[],
  { sql, values }: { readonly sql: string; readonly values: readonly unknown[] },
): Promise<(readonly Row[])[]> {
  return Promise.all(
    series.map(({ deviceId, eventType }) => ask.query<Row>(sql, [deviceId, eventType, ...values])),
  )
}

interface Point extends SeriesName {
  readonly unit: string | null
  readonly time: number
}

interface SinglePoint extends Point {
  readonly value: number
}

interface Bucket extends Point {
  readonly events: number
  readonly low: number
  readonly high: number
  readonly mean: number
}

/**
 * One line per unit of a series: every event if the series has no more than `points`, else minimum, maximum and mean of
 * each bucket, so that peaks survive.
 */
export async function readSeries(ask: Ask, question: SeriesQuestion): Promise<Series> {
  const { series, from, to, axis } = question
  const points = Math.min(question.points, Math.max(MIN_POINTS, Math.floor(MAX_POINTS / series.length)))
  const full = new Set(
    (await ask.query<SeriesName>(tooDense(axis), [...namesOf(series), from, to, points])).map(keyOf),
  )
  const sparse = series.filter((name) => !full.has(keyOf(name)))
  const singles = await ofEach<SinglePoint>(ask, sparse, {
    sql: single(axis),
    values: [from, to, points + 1],
  })
  const fitting = singles.filter(({ length }) => length <= points).flat()
  const lines = linesOf(
    fitting.map((point) => ({ ...point, low: point.value, high: point.value, mean: point.value, events: 1 })),
  )
  for (const [index, name] of sparse.entries())
    if ((singles[index]?.length ?? 0) > points) full.add(keyOf(name))
  const dense = series.filter((name) => full.has(keyOf(name)))
  if (dense.length === 0) return { from, to, bucketSeconds: null, lines }

  const width = bucketWidth((Date.parse(to) - Date.parse(from)) / 1000, points)
  const values = [from, to, `${width} seconds`]
  const [covered] =
    axis === 'event' && width % HOUR_S === 0
      ? await ask.query<{ from: string; to: string }>(COVERED, [from, to])
      : []
  const buckets =
    covered === undefined
      ? (await ofEach<Bucket>(ask, dense, { sql: bucketed(axis), values })).flat()
      : await ask.query<Bucket>(HOURLY, [...namesOf(dense), ...values, covered.from, covered.to])
  return { from, to, bucketSeconds: width, lines: [...lines, ...linesOf(buckets)].sort(inOrder) }
}

const HOUR_S = 3_600

function namesOf(series: readonly SeriesName[]): readonly [devices: string[], types: string[]] {
  return [series.map(({ deviceId }) => deviceId), series.map(({ eventType }) => eventType)]
}

function keyOf({ deviceId, eventType }: SeriesName): string {
  return JSON.stringify([deviceId, eventType])
}

function linesOf(rows: readonly Bucket[]): Line[] {
  const lines = new Map<string, Line>()
  for (const { deviceId, eventType, unit, time, low, high, mean, events } of rows) {
    const key = JSON.stringify([deviceId, eventType, unit])
    let line = lines.get(key)
    if (line === undefined) {
      line = { deviceId, eventType, unit, times: [], min: [], max: [], mean: [], events: 0 }
      lines.set(key, line)
    }
    line.times.push(time)
    line.min.push(low)
    line.max.push(high)
    line.mean.push(mean)
    line.events += events
  }
  return withoutRareUnits([...lines.values()]).sort(inOrder)
}

/** Applies the unit limit of BUCKETS. */
function withoutRareUnits(lines: readonly Line[]): Line[] {
  const counts = new Map<string, number>()
  return lines
    .toSorted((one, other) => other.events - one.events)
    .filter(({ deviceId, eventType }) => {
      const key = JSON.stringify([deviceId, eventType])
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      return count <= MAX_UNITS
    })
}

function inOrder(one: Line, other: Line): number {
  const [a, b] = [one, other].map(({ deviceId, eventType, unit }) => [deviceId, eventType, unit ?? ''])
  for (const [index, text] of (a ?? []).entries()) {
    const compared = b?.[index] ?? ''
    if (text !== compared) return text < compared ? -1 : 1
  }
  return 0
}
