import Type, { type Static } from 'typebox'

/** A message on qs/v1/deadletter; the same facts are a row in `dead_letters`. */
export const DeadLetterSchema = Type.Object(
  {
    code: Type.String({ description: 'Why, from the closed list in docs/reference/dead-letter-codes.md' }),
    error: Type.String({ description: 'The same for people, with the field and what to do' }),
    trace: Type.String({
      description: 'Where it failed, and the cause as the library or PostgreSQL said it',
    }),
    topic: Type.String(),
    device_id: Type.Union([Type.String(), Type.Null()], { description: 'From the topic' }),
    event_id: Type.Union([Type.String(), Type.Null()]),
    received_at: Type.String({ description: 'RFC 3339, UTC, microseconds' }),
    payload: Type.String({
      description: 'The original bytes of what failed: the message, or the element of its array',
    }),
    payload_bytes: Type.Optional(
      Type.Integer({
        description: 'Present where payload is cut since the broker takes no more: its whole length',
      }),
    ),
    payload_encoding: Type.Optional(
      Type.Literal('base64', { description: 'Present where the bytes are not UTF-8 text' }),
    ),
  },
  { $id: 'qs/v1/deadletter' },
)

export type DeadLetter = Static<typeof DeadLetterSchema>
