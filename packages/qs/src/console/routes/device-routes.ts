import { isTimeZone } from '@qs-telemetry/protocol'
import {
  ClockAdviceSchema,
  DeviceChangeSchema,
  DeviceClockSchema,
  DeviceGapsSchema,
  DeviceListSchema,
  DeviceSchema,
  type DeviceSort,
  DeviceSortSchema,
  DeviceStatusSchema,
  DriftSchema,
  Moment,
  RoomListSchema,
  SparklinesSchema,
  TypeListSchema,
} from '@qs-telemetry/protocol/api'
import { deviceOfSegment } from '@qs-telemetry/protocol/device-segment'
import Type from 'typebox'
import { clockAdvice } from '../../devices/clock-advice.ts'
import { describeDevice } from '../../devices/describe-device.ts'
import { type DeviceCursor, readDeviceCursor, writeDeviceCursor } from '../../devices/device-order.ts'
import { countDevices, findDevice, listDevices } from '../../devices/list-devices.ts'
import { listRooms } from '../../devices/list-rooms.ts'
import { listTypes } from '../../devices/list-types.ts'
import { readDrift } from '../../devices/read-drift.ts'
import { sparklines } from '../../devices/sparklines.ts'
import { QsError } from '../../errors/qs-error.ts'
import { findGaps } from '../../gaps/find-gaps.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange } from '../time-range.ts'

const tags = ['devices']
export const DeviceParams = Type.Object({
  deviceId: Type.String({
    description: 'The ids . and .. are written as ~. and ~.., since a path cannot contain them',
  }),
})

export function deviceRoutes(server: RouteServer, context: RouteContext): void {
  const { read, write, system, audit } = context
  server.get(
    '/api/devices',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Devices, with the latest value of each type',
        querystring: Type.Object({
          search: Type.Optional(
            Type.String({ maxLength: 200, description: 'Text in the id, label or room' }),
          ),
          room: Type.Optional(Type.String({ maxLength: 200, description: 'Only devices in this room' })),
          device: Type.Optional(
            Type.Array(Type.String(), { maxItems: 100, description: 'Only these devices' }),
          ),
          readings: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 32, description: 'Maximum number of readings per device' }),
          ),
          status: Type.Optional(DeviceStatusSchema),
          clock: Type.Optional(DeviceClockSchema),
          silentSensors: Type.Optional(
            Type.Boolean({
              description: 'Devices with (or without) a silent series that are not silent themselves',
            }),
          ),
          sort: Type.Optional(DeviceSortSchema),
          after: Type.Optional(Type.String({ maxLength: 8_000, description: '`next` of the previous page' })),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
        }),
        response: { 200: DeviceListSchema },
      },
    },
    async ({ query: { device, after, ...query } }) => {
      const filter = { ...query, ...(device !== undefined && { devices: device }) }
      const place = after === undefined ? {} : { after: placeOf(after, query.sort) }
      const [page, total] = await Promise.all([
        listDevices(read, { ...filter, ...place }),
        countDevices(read, filter),
      ])
      const { devices, next } = page
      return { devices: [...devices], total, next: next === null ? null : writeDeviceCursor(next) }
    },
  )

  server.get(
    '/api/rooms',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Rooms by name, with their number of devices',
        querystring: Type.Object({
          search: Type.Optional(Type.String({ maxLength: 200, description: 'Text in the name' })),
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 200 }),
        }),
        response: { 200: RoomListSchema },
      },
    },
    async ({ query }) => ({ rooms: [...(await listRooms(read, query))] }),
  )

  server.get(
    '/api/types',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Event types by name, of some devices or of all',
        querystring: Type.Object({
          search: Type.Optional(Type.String({ maxLength: 200, description: 'Text in the name' })),
          device: Type.Optional(
            Type.Array(Type.String(), { maxItems: 100, description: 'Only types of these devices' }),
          ),
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }),
        }),
        response: { 200: TypeListSchema },
      },
    },
    async ({ query: { device, ...query } }) => {
      const filter = { ...query, ...(device !== undefined && { devices: device }) }
      return { types: [...(await listTypes(read, filter))] }
    },
  )

  server.get(
    '/api/devices/:deviceId',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'One device', params: DeviceParams, response: { 200: DeviceSchema } },
    },
    async ({ params }) => {
      const deviceId = deviceOfSegment(params.deviceId)
      const device = await findDevice(read, deviceId)
      if (device === null) throw new QsError('NO_SUCH_DEVICE', `There is no device ${deviceId}`)
      return device
    },
  )

  server.get(
    '/api/devices/:deviceId/gaps',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Events of the device that never came, by the numbers in its event ids',
        params: DeviceParams,
        response: { 200: DeviceGapsSchema },
      },
    },
    async ({ params }) => findGaps(read, deviceOfSegment(params.deviceId)),
  )

  server.get(
    '/api/sparklines',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The last hours of each numeric series of some devices, as thirty mean values',
        querystring: Type.Object({
          device: Type.Array(Type.String(), { minItems: 1, maxItems: 100 }),
          hours: Type.Number({ minimum: 0.1, maximum: 48, default: 3 }),
        }),
        response: { 200: SparklinesSchema },
      },
    },
    async ({ query: { device, hours } }) => {
      const to = new Date()
      return sparklines(read, { devices: device, from: new Date(to.getTime() - hours * 3_600_000), to })
    },
  )

  server.get(
    '/api/devices/:deviceId/drift',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'How far the clock of the device was ahead',
        params: DeviceParams,
        querystring: Type.Object({
          from: Moment,
          to: Moment,
          points: Type.Integer({ minimum: 10, maximum: 2_000, default: 300 }),
        }),
        response: { 200: DriftSchema },
      },
    },
    async ({ params, query }) =>
      readDrift(read, {
        deviceId: deviceOfSegment(params.deviceId),
        points: query.points,
        ...readRange(query),
      }),
  )

  server.get(
    '/api/devices/:deviceId/clock-advice',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Whether the times of the device look as if they were read in a wrong zone',
        params: DeviceParams,
        response: { 200: ClockAdviceSchema },
      },
    },
    async ({ params }) => {
      const deviceId = deviceOfSegment(params.deviceId)
      const device = await findDevice(read, deviceId)
      return clockAdvice(read, deviceId, device?.timeZone ?? (await system()).deviceTimeZone)
    },
  )

  server.patch(
    '/api/devices/:deviceId',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Set the label, room, notes, time zone or silence limit of a device, or archive it',
        params: DeviceParams,
        body: DeviceChangeSchema,
        response: { 200: DeviceSchema },
      },
    },
    async (request) => {
      const deviceId = deviceOfSegment(request.params.deviceId)
      const { timeZone } = request.body
      if (timeZone && !isTimeZone(timeZone))
        throw new QsError('INVALID_TIME_ZONE', `"${timeZone}" is not an IANA time zone`)
      if (!(await describeDevice(write, deviceId, request.body)))
        throw new QsError('NO_SUCH_DEVICE', `There is no device ${deviceId}`)
      await audit(request, { action: 'device described', detail: { deviceId, ...request.body } })
      const device = await findDevice(write, deviceId)
      if (device === null) throw new QsError('NO_SUCH_DEVICE', `There is no device ${deviceId}`)
      return device
    },
  )
}

function placeOf(after: string, sort: DeviceSort = 'name'): DeviceCursor {
  const cursor = readDeviceCursor(after)
  if (cursor?.sort === sort) return cursor
  throw new QsError(
    'INVALID_REQUEST',
    '`after` does not belong to a list in this order. Start again from the first page',
  )
}
