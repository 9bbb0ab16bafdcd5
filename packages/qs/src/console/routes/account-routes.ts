import {
  AddedDevicesSchema,
  DeviceCsvSchema,
  DeviceLoginSchema,
  DeviceRemovalSchema,
  NewDeviceSchema,
} from '@qs-telemetry/protocol/api'
import { deviceOfSegment } from '@qs-telemetry/protocol/device-segment'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { DeviceParams } from './device-routes.ts'

const tags = ['devices']

/** How devices come, with an account and a login, and how they leave. */
export function accountRoutes(server: RouteServer, { devices, audit }: RouteContext): void {
  server.post(
    '/api/devices',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary:
          'Create an account for a device, if the broker requires one, and return the login for its board',
        body: NewDeviceSchema,
        response: { 200: DeviceLoginSchema },
      },
    },
    async (request) => {
      const login = await devices.add(request.body.deviceId)
      if (login.password !== null)
        await audit(request, { action: 'device added', detail: { deviceId: login.deviceId } })
      return login
    },
  )

  server.post(
    '/api/devices/list',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Add many devices from CSV, and return the logins for their boards',
        body: DeviceCsvSchema,
        response: { 200: AddedDevicesSchema },
      },
    },
    async (request) => {
      const added = await devices.addListed(request.body.csv)
      const names = added.devices.map(({ login }) => login.deviceId)
      if (names.length > 0) await audit(request, { action: 'device added', detail: { devices: names } })
      return added
    },
  )

  server.post(
    '/api/devices/:deviceId/password',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Give a device a new password; connections with the old one end at once',
        params: DeviceParams,
        response: { 200: DeviceLoginSchema },
      },
    },
    async (request) => {
      const deviceId = deviceOfSegment(request.params.deviceId)
      const login = await devices.rotate(deviceId)
      await audit(request, { action: 'device password changed', detail: { deviceId } })
      return login
    },
  )

  server.delete(
    '/api/devices/:deviceId',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Delete a device for good: its account, its events and everything else about it',
        params: DeviceParams,
        querystring: Type.Object({ confirm: Type.String({ description: 'The id of the device once more' }) }),
        response: { 200: DeviceRemovalSchema },
      },
    },
    async (request) => {
      const deviceId = deviceOfSegment(request.params.deviceId)
      if (request.query.confirm !== deviceId)
        throw new QsError('INVALID_REQUEST', '`confirm` must be the id of the device that is to be deleted')
      const removal = await devices.remove(deviceId)
      await audit(request, { action: 'device removed', detail: { deviceId, ...removal } })
      return removal
    },
  )
}
