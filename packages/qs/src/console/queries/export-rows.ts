import type { TimeAxis } from '@qs-telemetry/protocol/api'
import { momentText } from '../../database/moment-text.ts'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'
import type { Event } from '../../pipeline/message.ts'
import { AXIS_BOUNDS, AXIS_COLUMNS } from './time-axis.ts'
import { type Measured, withinBytes } from './within-bytes.ts'

/** An event in an export. Times are RFC 3339 in UTC, with microseconds; meta is JSON with all digits. */
export interface ExportRow extends Omit<Event, 'kind' | 'tsDeviceLocal' | 'warning'> {
  readonly tsServer: string
}

export interface ExportQuestion {
  readonly series: Iterable<SeriesName> | AsyncIterable<SeriesName>
  /** RFC 3339 text, since a Date has only milliseconds. `from` is inclusive, `to` exclusive. */
  readonly from: string
  readonly to: string
  readonly axis: TimeAxis
}

const PART = 5_000
const ORDER = 'at_time, "eventId"'

const part = (axis: TimeAxis) => {
  const column = AXIS_COLUMNS[axis]
  return withinBytes(
    `
select
  event_id as "eventId", device_id as "deviceId", event_type as "eventType", value_num as "valueNum",
  value_text as "valueText", nullif(value_exact, '') as "valueExact", unit,
  ${momentText('ts')} as ts, ${momentText('ts_device')} as "tsDevice", ts_device_raw as "tsDeviceRaw", ${momentText('ts_server')} as "tsServer",
  schema, meta::text as meta, ${momentText(column)} as at, ${column} as at_time,
  300 + coalesce(octet_length(value_text), 0) + coalesce(octet_length(meta::text), 0)
    + coalesce(octet_length(ts_device_raw), 0) + coalesce(octet_length(value_exact), 0) as bytes
from events_on_axis($1, $2, '${axis}', $3, $4)
where ($5::timestamptz is null or (${column}, event_id) > ($5, $6::text collate "C"))
order by ${column}, event_id limit ${PART}`,
    ORDER,
  )
}

/** From $3 on to the end of the next few segments, so that a part does not unpack and sort all that follow. */
const stretch = (axis: TimeAxis) => `
select ${momentText('least(upto, $4::timestamptz)')} as end, coalesce(upto >= $4, true) as "isLast" from (
  select max(last) + interval '1 microsecond' as upto from (
    select ${AXIS_BOUNDS[axis].last} as last from event_segments
    where device_id = $1 and event_type = $2 and ${AXIS_BOUNDS[axis].last} >= $3 and ${AXIS_BOUNDS[axis].first} < $4
    order by 1 limit 8) next) n`

/** All events of some series, one query per part, so that a slow reader holds no connection. */
export async function* exportRows(
  ask: Ask,
  { series, from, to, axis }: ExportQuestion,
): AsyncGenerator<readonly ExportRow[]> {
  const [partSql, stretchSql] = [part(axis), stretch(axis)]
  for await (const { deviceId, eventType } of series) {
    for (let start: string | null = from; start !== null; ) {
      const next: readonly Stretch[] = await ask.query(stretchSql, [deviceId, eventType, start, to])
      const { end, isLast } = next[0] ?? { end: to, isLast: true }
      yield* partsOf(ask, partSql, [deviceId, eventType, start, end])
      start = isLast ? null : end
    }
  }
}

interface Stretch {
  readonly end: string
  readonly isLast: boolean
}

async function* partsOf(
  ask: Ask,
  sql: string,
  range: readonly [deviceId: string, eventType: string, from: string, to: string],
): AsyncGenerator<readonly ExportRow[]> {
  let after: { readonly at: string; readonly eventId: string } | null = null
  for (;;) {
    const values: unknown[] = [...range, after?.at ?? null, after?.eventId ?? null]
    const rows: readonly (ExportRow & Measured & { readonly at: string })[] = await ask.query(sql, values)
    if (rows.length > 0) yield rows
    const pageRows = rows[0]?.pageRows ?? 0
    if (pageRows < PART && rows.length === pageRows) return
    after = rows.at(-1) ?? null
  }
}
