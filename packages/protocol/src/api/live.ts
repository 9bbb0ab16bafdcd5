import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

export const UnhandledTopicsSchema = Type.Object({
  topics: Type.Array(
    Type.Object({
      topic: Type.String({ description: 'Its first 200 characters' }),
      messages: Type.Integer(),
      lastAt: Moment,
      clientId: Nullable(Type.String({ description: 'Client of the newest message; null: unknown' })),
      isAllowed: Type.Boolean({ description: 'false: the account of the client may not publish there' }),
      payload: Type.String({ description: 'The beginning of the newest message' }),
      likelyTopic: Nullable(Type.String({ description: 'The topic that was probably intended' })),
    }),
    { description: 'Up to 100 topics, those with a likely fix first, then the newest' },
  ),
  more: Type.Integer({ description: 'Messages on topics that newer ones have displaced from the list' }),
  isSampled: Type.Boolean({
    description:
      'true: only a sample of the messages is read, so counts are too low and topics may be missing',
  }),
  problem: Nullable(
    Type.String({ description: 'Why messages on other topics are not seen, and what to do' }),
  ),
})

export type UnhandledTopics = Static<typeof UnhandledTopicsSchema>

/** The outcome of one element of a message. */
export interface LiveElement {
  readonly eventId: string | null
  readonly eventType: string | null
  readonly value: number | string | null
  readonly unit: string | null
  readonly ts: string | null
  readonly outcome: 'stored' | 'duplicate' | 'rejected'
  /** Why it was rejected, or the code of its warning. */
  readonly code: string | null
  readonly message: string | null
}

/** A message as received, with its outcomes. */
export interface LiveMessage {
  readonly tsServer: string
  readonly topic: string
  readonly deviceId: string | null
  readonly bytes: number
  readonly redelivered: boolean
  readonly elements: readonly LiveElement[]
  /** Number of elements that are not shown. */
  readonly more: number
  /** The beginning of the payload, if an element was rejected. */
  readonly payload: string | null
}

/** The data of one server-sent event of /api/live. */
export interface LiveBatch {
  readonly messages: readonly LiveMessage[]
  /** Messages skipped since the previous batch: the browser was too slow, or there were too many to show. */
  readonly dropped: number
}
