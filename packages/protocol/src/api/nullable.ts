import Type, { type TSchema } from 'typebox'

/** Null: not known, or not there. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}
