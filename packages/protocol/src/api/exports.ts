import Type, { type Static } from 'typebox'

export const ExportProgressSchema = Type.Object({
  state: Type.Union(
    [Type.Literal('unknown'), Type.Literal('running'), Type.Literal('complete'), Type.Literal('broken')],
    { description: 'unknown: not begun; complete: all of it was sent; broken: the file is not complete' },
  ),
  events: Type.Integer({ description: 'So far; where it is complete, in the file' }),
})

export type ExportProgress = Static<typeof ExportProgressSchema>
