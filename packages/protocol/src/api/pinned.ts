import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

export const PinnedReadingSchema = Type.Object({
  deviceId: Type.String(),
  eventType: Type.String(),
  label: Nullable(Type.String({ description: 'Label of the device' })),
  room: Nullable(Type.String()),
  valueNum: Nullable(Type.Number()),
  valueText: Nullable(Type.String()),
  unit: Nullable(Type.String()),
  ts: Nullable(Moment),
  isSilent: Type.Boolean({ description: 'No event for longer than its rhythm allows' }),
})

export const PinnedListSchema = Type.Object({
  pinned: Type.Array(PinnedReadingSchema, {
    description: 'In the order of pinning; at most 24',
  }),
})

export const PinSchema = Type.Object({
  deviceId: Type.String({ minLength: 1, maxLength: 512 }),
  eventType: Type.String({ minLength: 1, maxLength: 512 }),
  isPinned: Type.Boolean({ description: 'false: unpin it' }),
})

export type PinnedReading = Static<typeof PinnedReadingSchema>
export type PinnedList = Static<typeof PinnedListSchema>
