import type { Line, Series, TimeAxis } from '@qs-telemetry/protocol/api'
import type { Ask } from '../database/query-pool.ts'
import { bucketWidth } from './bucket-width.ts'
import type { SeriesName } from './series-of.ts'

export interface SeriesQuestion {
  readonly series: readonly SeriesName[]
  readonly from: Date
  readonly to: Date
  /** Never more than so many points a line: the width of the chart. */
  readonly points: number
  readonly axis: TimeAxis
}

/** In one answer: fifty lines of 800, about 5 MB of JSON and 30 MB while it is made. Of more lines each has fewer. */
const [MAX_POINTS, MIN_POINTS] = [40_000, 10]

/** A column name, from a closed list: it becomes part of the SQL. */
export const AXIS_COLUMNS: Readonly<Record<TimeAxis, string>> = {
  event: 'ts',
  device: 'ts_device',
  server: 'ts_server',
}

const SERIES = `unnest($1::text[], $2::text[]) as s(device_id, event_type)`

/** Of one series. One more than fits tells that it does not. */
const single = (column: string) => `
select device_id as "deviceId", event_type as "eventType", unit, extract(epoch from ${column})::float8 as time,
  value_num as value
from events
where device_id = $1 and event_type = $2 and ${column} >= $3 and ${column} < $4 and value_num is not null
order by ${column} limit $5`

/** Of one series: the least, the greatest and the mean of each bucket, as event_numbers has them for any axis. */
const bucketed = (column: string) => `
select device_id as "deviceId", event_type as "eventType",
  extract(epoch from date_bin($5::interval, ${column}, 'epoch'))::float8 as time, count(*)::int as events,
  min(value_num) as low, max(value_num) as high,
  coalesce(sum(value_num) filter (where abs(value_num) < 1e300), 0) / count(*) as mean
from events
where device_id = $1 and event_type = $2 and ${column} >= $3 and ${column} < $4 and value_num is not null
group by 1, 2, 3 order by 3`

/** How far event_hours reaches; null: it is not built yet. */
const COVERED = 'select covered_to as covered from event_hours_state'

/**
 * From the numbers by the hour, and from the events at both ends: the hour in which the range begins, and the last hours,
 * which are not in there yet.
 */
export const HOURLY = `
with pieces as (
  select s.device_id, s.event_type, date_bin($5::interval, h.hour, 'epoch') as at, h.events, h.low, h.high, h.total
  from ${SERIES} join event_hours h on h.device_id = s.device_id and h.event_type = s.event_type
  where h.hour >= $6 and h.hour < $7
  union all
  select s.device_id, s.event_type, x.at, x.events, x.low, x.high, x.total
  from ${SERIES}
  cross join (values ($3::timestamptz, $6::timestamptz), ($7::timestamptz, $4::timestamptz)) as r(from_ts, to_ts)
  cross join lateral event_numbers(s.device_id, s.event_type, r.from_ts, r.to_ts, $5::interval) x
)
select device_id as "deviceId", event_type as "eventType", extract(epoch from at)::float8 as time,
  sum(events)::int as events, min(low) as low, max(high) as high, sum(total) / sum(events)::float8 as mean
from pieces group by device_id, event_type, at order by 1, 2, 3`

/**
 * One question a series, a few at a time: on Citus each is split among the shards, which a lateral join over a list of
 * series would not be.
 */
async function ofEach<Row>(
  ask: Ask,
  series: readonly SeriesName[],
  { sql, values }: { readonly sql: string; readonly values: readonly unknown[] },
): Promise<readonly Row[]> {
  const rows = await Promise.all(
    series.map(({ deviceId, eventType }) => ask.query<Row>(sql, [deviceId, eventType, ...values])),
  )
  return rows.flat()
}

interface SingleRow extends SeriesName {
  readonly unit: string | null
  readonly time: number
  readonly value: number
}

interface BucketRow extends SeriesName {
  readonly time: number
  readonly events: number
  readonly low: number
  readonly high: number
  readonly mean: number
}

/** Every event where they fit into the points, else the least, the greatest and the mean of each bucket: peaks survive. */
export async function readSeries(ask: Ask, question: SeriesQuestion): Promise<Series> {
  const { series, from, to, axis } = question
  const points = Math.min(question.points, Math.max(MIN_POINTS, Math.floor(MAX_POINTS / series.length)))
  const column = AXIS_COLUMNS[axis]
  const range = { from: from.toISOString(), to: to.toISOString() }
  const singles = await ofEach<SingleRow>(ask, series, {
    sql: single(column),
    values: [from, to, points + 1],
  })
  const lines = linesOf(singles, (row) => ({
    ...row,
    low: row.value,
    high: row.value,
    mean: row.value,
    events: 1,
  }))
  const dense = lines.filter(({ times }) => times.length > points)
  const name = ({ deviceId, eventType }: SeriesName) => `${deviceId}/${eventType}`
  const sorted = (some: readonly Line[]) => [...some].sort((a, b) => (name(a) < name(b) ? -1 : 1))
  if (dense.length === 0) return { ...range, bucketSeconds: null, lines: sorted(lines) }

  const width = bucketWidth((to.getTime() - from.getTime()) / 1000, points)
  const names = [dense.map(({ deviceId }) => deviceId), dense.map(({ eventType }) => eventType)]
  const values = [from, to, `${width} seconds`]
  const covered = axis === 'event' && width % HOUR_S === 0 ? await coveredHours(ask, question) : null
  const buckets =
    covered === null
      ? await ofEach<BucketRow>(ask, dense, { sql: bucketed(column), values })
      : await ask.query<BucketRow>(HOURLY, [...names, ...values, covered.from, covered.to])
  const units = new Map(lines.map((line) => [name(line), line.unit]))
  const inBuckets = linesOf(buckets, (row) => ({ ...row, unit: units.get(name(row)) ?? null }))
  const all = [...lines.filter((line) => !dense.includes(line)), ...inBuckets]
  return { ...range, bucketSeconds: width, lines: sorted(all) }
}

const HOUR_S = 3_600

/** The whole hours of the range that event_hours has; null where that is none. */
async function coveredHours(ask: Ask, { from, to }: SeriesQuestion) {
  const [row] = await ask.query<{ covered: Date | null }>(COVERED)
  const hourMs = HOUR_S * 1000
  const fromMs = Math.ceil(from.getTime() / hourMs) * hourMs
  const toMs = Math.min(Math.floor(to.getTime() / hourMs) * hourMs, row?.covered?.getTime() ?? 0)
  return fromMs < toMs ? { from: new Date(fromMs), to: new Date(toMs) } : null
}

interface Point {
  readonly unit: string | null
  readonly time: number
  readonly events: number
  readonly low: number
  readonly high: number
  readonly mean: number
}

function linesOf<Row extends SeriesName>(rows: readonly Row[], pointOf: (row: Row) => Point): Line[] {
  const lines: Line[] = []
  for (const row of rows) {
    let line = lines.at(-1)
    const { unit, time, low, high, mean, events } = pointOf(row)
    if (line?.deviceId !== row.deviceId || line.eventType !== row.eventType) {
      line = {
        deviceId: row.deviceId,
        eventType: row.eventType,
        unit,
        times: [],
        min: [],
        max: [],
        mean: [],
        events: 0,
      }
      lines.push(line)
    }
    line.unit = unit
    line.times.push(time)
    line.min.push(low)
    line.max.push(high)
    line.mean.push(mean)
    line.events += events
  }
  return lines
}
