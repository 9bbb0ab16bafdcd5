import type { State, States, TimeAxis } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'
import type { SeriesQuestion } from './read-series.ts'
import { type RecentValue, stateKind } from './state-kind.ts'
import { AXIS_COLUMNS } from './time-axis.ts'

/** Per series: events needed to distinguish states from messages, and maximum changes in a chart of states. */
const [SAMPLE, MOST_CHANGES] = [30, 500]
/** A state has a few letters. An older text of up to 16 KiB is truncated. */
const MOST_LETTERS = 100

const RECENT = `
select value_num as "valueNum", value_text as "valueText", nullif(unit, '') as unit from newest_events($1, $2, ${SAMPLE})`

interface Change {
  /** Unix seconds. */
  readonly time: number
  readonly text: string | null
}

const changes = (axis: TimeAxis, events: string) => `
select extract(epoch from ${AXIS_COLUMNS[axis]})::float8 as time,
  coalesce(left(value_text, ${MOST_LETTERS}), value_num::text) as text
from ${events}
order by ${AXIS_COLUMNS[axis]} desc, event_id desc`

const BEFORE_EVENT_TIME = `
select extract(epoch from ts)::float8 as time, coalesce(left(value_text, ${MOST_LETTERS}), value_num::text) as text
from newest_events($1, $2, 1, before => $3)`

/**
 * The last change before the range, which still applies at its start. By another time than that of the event, a month is
 * searched, since neither rows nor segments are in its order.
 */
const before = (axis: TimeAxis) =>
  axis === 'event'
    ? BEFORE_EVENT_TIME
    : `${changes(axis, `events_on_axis($1, $2, '${axis}', $3::timestamptz - interval '31 days', $3)`)} limit 1`

const within = (axis: TimeAxis) =>
  `${changes(axis, `events_on_axis($1, $2, '${axis}', $3, $4) where value_text is not null`)} limit ${MOST_CHANGES + 1}`

/**
 * The states among some series in one answer, since a chart of states polls every few seconds. Changes between 0 and 1
 * within the range are in /api/series, so only the last one before the range is included.
 */
export async function readStates(ask: Ask, question: Omit<SeriesQuestion, 'points'>): Promise<States> {
  const { series, from, to, axis } = question

  async function stateOf({ deviceId, eventType }: SeriesName): Promise<readonly State[]> {
    const kind = stateKind(await ask.query<RecentValue>(RECENT, [deviceId, eventType]))
    if (kind === null) return []
    const texts =
      kind === 'texts' ? await ask.query<Change>(within(axis), [deviceId, eventType, from, to]) : []
    // If texts are cut off, the last one before the range is not the state before the first of them.
    const isWhole = texts.length <= MOST_CHANGES
    const earlier = isWhole ? await ask.query<Change>(before(axis), [deviceId, eventType, from]) : []
    const all = [...texts.slice(0, MOST_CHANGES), ...earlier].reverse()
    return [
      { deviceId, eventType, kind, times: all.map(({ time }) => time), texts: all.map(({ text }) => text) },
    ]
  }

  return { from, to, states: (await Promise.all(series.map(stateOf))).flat() }
}
