import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

/** event: device time if plausible, otherwise server time. */
export const TimeAxisSchema = Type.Union([
  Type.Literal('event'),
  Type.Literal('device'),
  Type.Literal('server'),
])

const LineSchema = Type.Object({
  deviceId: Type.String(),
  eventType: Type.String(),
  unit: Nullable(Type.String()),
  times: Type.Array(
    Type.Number({ description: 'Unix seconds of the event, or of the beginning of its bucket' }),
  ),
  min: Type.Array(Type.Number()),
  max: Type.Array(Type.Number()),
  mean: Type.Array(Type.Number()),
  events: Type.Integer({ description: 'Number of events in the line' }),
})

export const SeriesSchema = Type.Object({
  from: Moment,
  to: Moment,
  bucketSeconds: Nullable(
    Type.Number({ description: 'Bucket width of lines with too many events; null: every event is a point' }),
  ),
  lines: Type.Array(LineSchema),
})

const StateSchema = Type.Object({
  deviceId: Type.String(),
  eventType: Type.String(),
  kind: Type.Union([Type.Literal('texts'), Type.Literal('numbers')], {
    description: 'numbers: 0 and 1 without a unit, as booleans are stored',
  }),
  times: Type.Array(Type.Number({ description: 'Unix seconds, ascending' })),
  texts: Type.Array(Nullable(Type.String({ description: 'null: the event has no value' }))),
})

export const StatesSchema = Type.Object({ from: Moment, to: Moment, states: Type.Array(StateSchema) })

export const DriftSchema = Type.Object({
  from: Moment,
  to: Moment,
  bucketSeconds: Type.Number(),
  times: Type.Array(Type.Number({ description: 'Unix seconds, server time' })),
  offset: Type.Array(
    Type.Number({ description: 'Seconds by which the clock was ahead at the freshest event of each bucket' }),
  ),
})

export type TimeAxis = Static<typeof TimeAxisSchema>
export type Line = Static<typeof LineSchema>
export type Series = Static<typeof SeriesSchema>
export type State = Static<typeof StateSchema>
export type States = Static<typeof StatesSchema>
export type Drift = Static<typeof DriftSchema>
