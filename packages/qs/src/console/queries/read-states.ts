import type { State, States } from '@qs-telemetry/protocol/api'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'
import { AXIS_COLUMNS, type SeriesQuestion } from './read-series.ts'
import { type RecentValue, stateKind } from './state-kind.ts'

/** Per series: events needed to distinguish states from messages, and maximum changes in a chart of states. */
const [SAMPLE, MOST_CHANGES] = [30, 500]
/** A state has a few letters. An older text of up to 16 KiB is truncated. */
const MOST_LETTERS = 100

const RECENT = `
select value_num as "valueNum", value_text as "valueText", nullif(unit, '') as unit from events
where device_id = $1 and event_type = $2 order by ts desc, event_id desc limit ${SAMPLE}`

interface Change {
  /** Unix seconds. */
  readonly time: number
  readonly text: string | null
}

const changes = (column: string, condition: string) => `
select extract(epoch from ${column})::float8 as time, coalesce(left(value_text, ${MOST_LETTERS}), value_num::text) as text
from events where device_id = $1 and event_type = $2 and ${condition} order by ${column} desc, event_id desc`

/** The last change before the range, which still applies at its start. */
const before = (column: string) => `${changes(column, `${column} < $3`)} limit 1`

const within = (column: string) =>
  `${changes(column, `value_text is not null and ${column} >= $3 and ${column} < $4`)} limit ${MOST_CHANGES + 1}`

/**
 * The states among some series in one answer, since a chart of states polls every few seconds. Changes between 0 and 1
 * within the range are in /api/series, so only the last one before the range is included.
 */
export async function readStates(ask: Ask, question: Omit<SeriesQuestion, 'points'>): Promise<States> {
  const { series, from, to, axis } = question
  const column = AXIS_COLUMNS[axis]

  async function stateOf({ deviceId, eventType }: SeriesName): Promise<readonly State[]> {
    const kind = stateKind(await ask.query<RecentValue>(RECENT, [deviceId, eventType]))
    if (kind === null) return []
    const texts =
      kind === 'texts' ? await ask.query<Change>(within(column), [deviceId, eventType, from, to]) : []
    // If texts are cut off, the last one before the range is not the state before the first of them.
    const isWhole = texts.length <= MOST_CHANGES
    const earlier = isWhole ? await ask.query<Change>(before(column), [deviceId, eventType, from]) : []
    const all = [...texts.slice(0, MOST_CHANGES), ...earlier].reverse()
    return [
      { deviceId, eventType, kind, times: all.map(({ time }) => time), texts: all.map(({ text }) => text) },
    ]
  }

  return { from, to, states: (await Promise.all(series.map(stateOf))).flat() }
}
