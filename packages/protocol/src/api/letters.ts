import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'
import { Nullable } from './nullable.ts'

const BytesSchema = Type.Object({
  payload: Type.String(),
  encoding: Type.Union([Type.Literal('utf-8'), Type.Literal('base64')], {
    description: 'base64 where the bytes are no UTF-8',
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
  state: Type.String({ description: 'new, repaired, or what the last replay came to' }),
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
    deviceId: Nullable(Type.String({ description: 'Where a repair said under which device it belongs' })),
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
    description: 'Any text: it becomes bytes',
  }),
  encoding: Type.Optional(Type.Union([Type.Literal('utf-8'), Type.Literal('base64')])),
  deviceId: Type.Optional(Nullable(Type.String({ maxLength: 512 }))),
})

export const JudgementSchema = Type.Object({ problems: Type.Array(LetterProblemSchema) })

const LetterIdSchema = Type.String({ pattern: '^[1-9]\\d{0,17}$' })

/** What changes many letters must say which: `ids`, a filter, or `all`. */
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
        description: 'Events get the time of the replay, not that at which the letter came in',
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
          'stored, duplicate, rejected, unanswered, wrong, conflict or skipped, as qs deadletter replay says',
      }),
      eventIds: Type.Array(Type.String()),
      code: Nullable(Type.String()),
      detail: Nullable(Type.String()),
    }),
  ),
  left: Type.Integer({ description: 'Chosen and not tried yet: ask again' }),
})

export const PatchChoiceSchema = Type.Object(
  {
    ...LetterChoiceSchema.properties,
    merge: Type.String({
      maxLength: 1_000_000,
      format: 'payload',
      description:
        'A JSON merge patch (RFC 7396) as text, so that its digits count: {"schema":1}. Of an array it changes each event',
    }),
    dryRun: Type.Optional(Type.Boolean({ description: 'Change nothing; say what would become of each' })),
    after: Type.Optional(
      Type.String({
        pattern: '^(0|[1-9]\\d{0,17})$',
        description: 'Only letters after this one: `next` of the answer before',
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
  next: Nullable(Type.String({ description: 'Where it goes on: give it as `after`' })),
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
