import Type, { type Static } from 'typebox'
import { Nullable } from './nullable.ts'

export const SettingSchema = Type.Object({
  name: Type.String(),
  group: Type.String(),
  about: Type.String(),
  default: Nullable(Type.String()),
  value: Nullable(Type.String({ description: 'As in .env, without secrets; null: not set' })),
  source: Type.String({
    description: 'default, unset, environment, .env, option, console, or the file that it was read from',
  }),
  isChangeable: Type.Boolean({ description: 'Whether PUT /api/settings/{name} may change it now' }),
})

export const SettingsSchema = Type.Object({
  settings: Type.Array(SettingSchema),
  isIngester: Type.Boolean({
    description: 'Whether these are the settings of an ingester; if not, of the process of qs console',
  }),
})

export const SettingChangeSchema = Type.Object({
  value: Nullable(Type.String({ maxLength: 200, description: 'As in .env; null: the default' })),
})

export type ListedSetting = Static<typeof SettingSchema>
export type Settings = Static<typeof SettingsSchema>
