import { SettingChangeSchema, SettingsSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import type { RouteContext, RouteServer } from '../route-server.ts'

const tags = ['system']
const response = { 200: SettingsSchema }

export function settingRoutes(server: RouteServer, { settings, audit }: RouteContext): void {
  server.get(
    '/api/settings',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'All settings, without secrets, and where they come from', response },
    },
    async () => settings.list(),
  )

  server.put(
    '/api/settings/:name',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Choose a setting that is safe to change; it takes effect within fifteen seconds',
        params: Type.Object({ name: Type.String({ maxLength: 100 }) }),
        body: SettingChangeSchema,
        response,
      },
    },
    async (request) => {
      const { name } = request.params
      const { value } = request.body
      const changed = await settings.choose(name, value)
      await audit(request, { action: 'setting changed', detail: { setting: name, value } })
      return changed
    },
  )
}
