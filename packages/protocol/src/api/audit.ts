import Type, { type Static } from 'typebox'
import { Moment } from './moment.ts'

export const AuditSchema = Type.Object({
  entries: Type.Array(
    Type.Object({
      at: Moment,
      actor: Type.String(),
      address: Type.String(),
      action: Type.String(),
      detail: Type.Unknown(),
    }),
    { description: 'Newest first' },
  ),
})

export type Audit = Static<typeof AuditSchema>
