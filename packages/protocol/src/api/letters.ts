import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

const BytesSchema = Type.Object({
  payload: Type.String(),
  encoding: Type.Union([Type.Literal('utf-8'), Type.Literal('base64')], {
    description: 'base64 if the bytes are not UTF-8',
  }),
})

const LetterSummarySchema = Type.Object({
  id: Type.String(),
  receivedAt: Moment,
  deviceId: Nullable(Type.String()),
  eventId: Nullable(Type.String()),
  code: Type.String(),
  error: Type.String(),
  payloadBytes: Type.Integer(),
  state: Type.String({ description: 'new, repaired, or the result of the last replay' }),
})

export const LetterListSchema = Type.Object({
  letters: Type.Array(LetterSummarySchema, { description: 'Newest first' }),
  counted: Type.Array(
    Type.Object({
      deviceId: Type.String(),
      code: Type.String(),
      letters: Type.Number(),
      bytes: Type.Number(),
    }),
    { description: 'Above DEAD_LETTER_RATE: only counted' },
  ),
  next: Nullable(Type.String()),
})

export const LetterProblemSchema = Type.Object({ code: Type.String(), message: Type.String() })

export const LetterSchema = Type.Object({
  id: Type.String(),
  receivedAt: Moment,
  topic: Type.String(),
  deviceId: Nullable(Type.String()),
  eventId: Nullable(Type.String()),
  code: Type.String(),
  error: Type.String(),
  advice: Type.String(),
  trace: Type.String(),
  original: BytesSchema,
  now: Type.Object({
    ...BytesSchema.properties,
    deviceId: Nullable(Type.String({ description: 'The device id that a repair has set' })),
    problems: Type.Array(LetterProblemSchema, { description: 'Why a replay would be rejected' }),
  }),
  storedEvent: Type.Unknown({ description: 'What is stored under the same event_id, or null' }),
  history: Type.Array(
    Type.Object({
      at: Moment,
      action: Type.String(),
      deviceId: Nullable(Type.String()),
      outcome: Nullable(Type.String()),
      code: Nullable(Type.String()),
      detail: Nullable(Type.String()),
    }),
  ),
})

export const RepairSchema = Type.Object({
  payload: Type.String({
    maxLength: 16_000_000,
    format: 'payload',
    description: 'Any text; it is converted to bytes',
  }),
  encoding: Type.Optional(Type.Union([Type.Literal('utf-8'), Type.Literal('base64')])),
  deviceId: Type.Optional(Nullable(Type.String({ maxLength: 512 }))),
})

export const JudgementSchema = Type.Object({ problems: Type.Array(LetterProblemSchema) })

const LetterIdSchema = Type.String({ pattern: '^[1-9]\\d{0,17}$' })

/** A change to many letters must select them: by `ids`, a filter, or `all`. */
export const LetterChoiceSchema = Type.Object(
  {
    ids: Type.Optional(Type.Array(LetterIdSchema, { minItems: 1, maxItems: 1_000 })),
    codes: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    devices: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    since: Type.Optional(Moment),
    until: Type.Optional(Moment),
    state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('done')])),
    all: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

export const ReplayChoiceSchema = Type.Object(
  {
    ...LetterChoiceSchema.properties,
    now: Type.Optional(
      Type.Boolean({
        description: 'Events get the time of the replay, not the time at which the letter was received',
      }),
    ),
  },
  { additionalProperties: false },
)

export const ReplaySchema = Type.Object({
  results: Type.Array(
    Type.Object({
      id: Type.String(),
      result: Type.String({
        description:
          'stored, duplicate, rejected, unanswered, wrong, conflict or skipped, as in qs deadletter replay',
      }),
      eventIds: Type.Array(Type.String()),
      code: Nullable(Type.String()),
      detail: Nullable(Type.String()),
    }),
  ),
  left: Type.Integer({ description: 'Selected but not tried yet: repeat the request' }),
})

export const PatchChoiceSchema = Type.Object(
  {
    ...LetterChoiceSchema.properties,
    merge: Type.String({
      maxLength: 1_000_000,
      format: 'payload',
      description:
        'A JSON merge patch (RFC 7396) as text, so that all digits are kept: {"schema":1}. In an array it changes each event',
    }),
    dryRun: Type.Optional(Type.Boolean({ description: 'Change nothing; report the result for each letter' })),
    after: Type.Optional(
      Type.String({
        pattern: '^(0|[1-9]\\d{0,17})$',
        description: 'Only letters after this one: `next` of the previous answer',
      }),
    ),
  },
  { additionalProperties: false },
)

export const PatchSchema = Type.Object({
  results: Type.Array(
    Type.Object({
      id: Type.String(),
      result: Type.Union([Type.Literal('ready'), Type.Literal('wrong'), Type.Literal('skipped')]),
      isChanged: Type.Boolean(),
      problems: Type.Array(LetterProblemSchema),
    }),
  ),
  next: Nullable(Type.String({ description: 'Pass it as `after` to continue' })),
})

export const PurgeSchema = Type.Object({ purged: Type.Integer() })

export type LetterSummary = Static<typeof LetterSummarySchema>
export type LetterList = Static<typeof LetterListSchema>
export type Letter = Static<typeof LetterSchema>
export type LetterChoice = Static<typeof LetterChoiceSchema>
export type LetterRepair = Static<typeof RepairSchema>
export type LetterJudgement = Static<typeof JudgementSchema>
export type PatchAnswer = Static<typeof PatchSchema>
export type ReplayAnswer = Static<typeof ReplaySchema>
