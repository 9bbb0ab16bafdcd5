import Type, { type Static } from 'typebox'

/** A message on qs/v1/deadletter; the same facts are a row in `dead_letters`. */
export const DeadLetterSchema = Type.Object(
  {
    code: Type.String({
      description: 'The reason, from the closed list in docs/reference/dead-letter-codes.md',
    }),
    error: Type.String({ description: 'The reason in words, with the field and what to do' }),
    trace: Type.String({
      description: 'Where it failed, and the cause as reported by the library or PostgreSQL',
    }),
    topic: Type.String(),
    device_id: Type.Union([Type.String(), Type.Null()], { description: 'From the topic' }),
    event_id: Type.Union([Type.String(), Type.Null()]),
    received_at: Type.String({ description: 'RFC 3339, UTC, microseconds' }),
    payload: Type.String({
      description: 'The original bytes of what failed: the message, or one element of its array',
    }),
    payload_bytes: Type.Optional(
      Type.Integer({
        description: 'The full length, present if payload is cut because the broker accepts no more',
      }),
    ),
    payload_encoding: Type.Optional(
      Type.Literal('base64', { description: 'Present if the bytes are not UTF-8 text' }),
    ),
  },
  { $id: 'qs/v1/deadletter' },
)

export type DeadLetter = Static<typeof DeadLetterSchema>
