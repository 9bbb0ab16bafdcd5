import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

export const UnhandledTopicsSchema = Type.Object({
  topics: Type.Array(
    Type.Object({
      topic: Type.String({ description: 'Its first 200 characters' }),
      messages: Type.Integer(),
      lastAt: Moment,
      clientId: Nullable(
        Type.String({ description: 'Of the newest message; null: the broker does not tell' }),
      ),
      isAllowed: Type.Boolean({ description: 'false: the account of the client may not publish there' }),
      payload: Type.String({ description: 'The beginning of the newest message' }),
      likelyTopic: Nullable(Type.String({ description: 'What was probably meant' })),
    }),
    { description: 'Up to 100 topics, those with a likely fix first, then the newest' },
  ),
  more: Type.Integer({ description: 'Messages on topics that had to give way to newer ones' }),
  isSampled: Type.Boolean({
    description:
      'true: the broker has more messages than are looked at, so that counts are too low and topics may be missing',
  }),
  problem: Nullable(
    Type.String({ description: 'Why messages on other topics are not seen, and what to do' }),
  ),
})

export type UnhandledTopics = Static<typeof UnhandledTopicsSchema>

/** What became of one element of a message. */
export interface LiveElement {
  readonly eventId: string | null
  readonly eventType: string | null
  readonly value: number | string | null
  readonly unit: string | null
  readonly ts: string | null
  readonly outcome: 'stored' | 'duplicate' | 'rejected'
  /** Why it is none, where it was rejected. */
  readonly code: string | null
  readonly message: string | null
}

/** A message, as it came in, with its end. */
export interface LiveMessage {
  readonly tsServer: string
  readonly topic: string
  readonly deviceId: string | null
  readonly bytes: number
  readonly redelivered: boolean
  readonly elements: readonly LiveElement[]
  /** Elements beyond those that are shown. */
  readonly more: number
  /** The beginning of the payload, where something in it was rejected. */
  readonly payload: string | null
}

/** What one server-sent event of /api/live holds. */
export interface LiveBatch {
  readonly messages: readonly LiveMessage[]
  /** Messages that this browser was too slow for, or that were too many to show, since the batch before. */
  readonly dropped: number
}
