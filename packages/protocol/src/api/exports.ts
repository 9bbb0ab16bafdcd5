import Type, { type Static } from 'typebox'

export const ExportProgressSchema = Type.Object({
  state: Type.Union(
    [Type.Literal('unknown'), Type.Literal('running'), Type.Literal('complete'), Type.Literal('broken')],
    { description: 'unknown: not started; complete: everything was sent; broken: the file is incomplete' },
  ),
  events: Type.Integer({ description: 'Sent so far; when complete, all events of the file' }),
})

export type ExportProgress = Static<typeof ExportProgressSchema>
