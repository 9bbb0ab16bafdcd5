import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,62}$' })
const Pattern = Type.String({ minLength: 1, maxLength: 512, description: '* for any characters, ? for one' })
const Kind = Type.Union(
  [
    Type.Literal('device-silent'),
    Type.Literal('series-silent'),
    Type.Literal('value'),
    Type.Literal('clock'),
    Type.Literal('gaps'),
    Type.Literal('dead-letters'),
    Type.Literal('nothing-ingested'),
    Type.Literal('disk'),
    Type.Literal('service'),
  ],
  { description: 'docs/alerts.md explains them' },
)

export const AlertRuleSchema = Type.Object({
  name: Name,
  kind: Kind,
  devices: Pattern,
  types: Pattern,
  rooms: Pattern,
  unit: Nullable(Type.String({ maxLength: 512 })),
  above: Nullable(Type.Number()),
  below: Nullable(Type.Number()),
  back: Type.Number({ minimum: 0, description: 'How far inside the limit a value has to return' }),
  forSeconds: Type.Number({ minimum: 0, maximum: 31_536_000 }),
  remindSeconds: Nullable(Type.Number({ minimum: 60, maximum: 31_536_000, description: 'null: never' })),
  urgent: Type.Boolean({ description: 'Also in the quiet hours of a channel' }),
  channels: Type.Array(Name, { maxItems: 100, description: 'Empty: all' }),
  mutedUntil: Nullable(Moment),
})

const Change = Type.Union([
  Type.Literal('firing'),
  Type.Literal('ended'),
  Type.Literal('reminder'),
  Type.Literal('test'),
])

const Subject = {
  rule: Type.String(),
  deviceId: Type.String({ description: 'Empty: not about a device' }),
  eventType: Type.String(),
  message: Type.String(),
}

export const AlertsSchema = Type.Object(
  {
    firing: Type.Array(Type.Object({ ...Subject, since: Moment, isTold: Type.Boolean() }), {
      description: 'Newest first, at most 1,000',
    }),
    rules: Type.Array(AlertRuleSchema),
    channels: Type.Array(
      Type.Object({
        name: Type.String(),
        kind: Type.String(),
        shown: Type.String({ description: 'Its settings without secrets' }),
        quietFrom: Nullable(Type.String()),
        quietTo: Nullable(Type.String()),
        quietZone: Nullable(Type.String()),
        failingSince: Nullable(Moment),
        error: Nullable(Type.String()),
        sentAt: Nullable(Moment),
        waiting: Type.Integer({ description: 'Messages that have not been sent' }),
      }),
    ),
    history: Type.Array(Type.Object({ ...Subject, id: Type.String(), at: Moment, change: Change }), {
      description: 'Newest first',
    }),
  },
  { description: 'Alerts: what fires now, the rules, the channels, the history' },
)

export const AlertMuteSchema = Type.Object({
  forSeconds: Nullable(
    Type.Number({
      minimum: 0,
      maximum: 315_360_000,
      description: '0: no longer; null: until further notice',
    }),
  ),
})

export const AlertTestSchema = Type.Object({
  result: Type.Union([Type.Literal('sent'), Type.Literal('failed'), Type.Literal('waiting')], {
    description: 'waiting: no ingester has sent it yet',
  }),
  error: Nullable(Type.String()),
})

export type AlertRule = Static<typeof AlertRuleSchema>
export type Alerts = Static<typeof AlertsSchema>
export type AlertTest = Static<typeof AlertTestSchema>
