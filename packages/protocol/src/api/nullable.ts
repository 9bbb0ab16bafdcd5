import Type, { type TSchema } from 'typebox'

/** Null: unknown or absent. */
export function Nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}
