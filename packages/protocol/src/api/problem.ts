import Type, { type Static } from 'typebox'

/** The body of every error of the API (RFC 9457, application/problem+json). */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'about:blank' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'One of docs/reference/errors.md' }),
    detail: Type.String({ description: 'What is wrong and what to do' }),
  },
  { $id: 'Problem', description: 'RFC 9457' },
)

export type Problem = Static<typeof ProblemSchema>
