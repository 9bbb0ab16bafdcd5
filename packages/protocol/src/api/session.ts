import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

const RoleSchema = Type.Union([Type.Literal('operator'), Type.Literal('viewer')])

export const SessionSchema = Type.Object({
  loginNeeded: Type.Boolean({ description: 'false: every user of this machine has access' }),
  loginPossible: Type.Boolean({ description: 'false: no password is set' }),
  role: Nullable(RoleSchema),
})

export const LoginSchema = Type.Object({
  name: RoleSchema,
  password: Type.String({ minLength: 1, maxLength: 1_000 }),
})

export type Role = Static<typeof RoleSchema>
export type Session = Static<typeof SessionSchema>
export type Login = Static<typeof LoginSchema>
