import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

/** event: device time where it is plausible, else server time. */
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
    Type.Number({ description: 'Unix seconds: of the event, or of the beginning of its bucket' }),
  ),
  min: Type.Array(Type.Number()),
  max: Type.Array(Type.Number()),
  mean: Type.Array(Type.Number()),
  events: Type.Integer({ description: 'How many numbers are in it' }),
})

export const SeriesSchema = Type.Object({
  from: Moment,
  to: Moment,
  bucketSeconds: Nullable(
    Type.Number({ description: 'Of the lines whose events do not fit; null: every event is a point' }),
  ),
  lines: Type.Array(LineSchema),
})

const StateSchema = Type.Object({
  deviceId: Type.String(),
  eventType: Type.String(),
  kind: Type.Union([Type.Literal('texts'), Type.Literal('numbers')], {
    description: 'numbers: 0 and 1 without a unit, as true and false are stored',
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
    Type.Number({ description: 'Seconds that the clock of the freshest event of each bucket was ahead' }),
  ),
})

export type TimeAxis = Static<typeof TimeAxisSchema>
export type Line = Static<typeof LineSchema>
export type Series = Static<typeof SeriesSchema>
export type State = Static<typeof StateSchema>
export type States = Static<typeof StatesSchema>
export type Drift = Static<typeof DriftSchema>
