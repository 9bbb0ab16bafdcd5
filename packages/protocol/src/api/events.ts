import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

export const StoredEventSchema = Type.Object({
  eventId: Type.String(),
  deviceId: Type.String(),
  eventType: Type.String(),
  valueNum: Nullable(Type.Number()),
  valueText: Nullable(Type.String()),
  valueExact: Nullable(
    Type.String({
      description: 'The number as sent, if `valueNum` is only the nearest double',
    }),
  ),
  unit: Nullable(Type.String()),
  ts: Moment,
  tsDevice: Nullable(Moment),
  tsDeviceRaw: Nullable(Type.String()),
  tsServer: Moment,
  meta: Type.Unknown(),
})

export const EventPageSchema = Type.Object({
  events: Type.Array(StoredEventSchema, { description: 'Newest first' }),
  next: Nullable(Type.String({ description: 'Pass it as `after` to get the next page' })),
})

export type StoredEvent = Static<typeof StoredEventSchema>
export type EventPage = Static<typeof EventPageSchema>
