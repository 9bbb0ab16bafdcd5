import { EventPageSchema, Moment } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import { listEvents, readCursor } from '../queries/list-events.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readMoment } from '../time-range.ts'

export function eventRoutes(server: RouteServer, { read }: RouteContext): void {
  server.get(
    '/api/events',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['events'],
        summary: 'Stored events, newest first',
        description:
          'For one device by event time, for all devices by server time. To get the next page, pass `next` as `after`.',
        querystring: Type.Object({
          device: Type.Optional(Type.String()),
          type: Type.Optional(Type.Array(Type.String(), { maxItems: 50 })),
          from: Type.Optional(Moment),
          to: Type.Optional(Moment),
          texts: Type.Optional(Type.Boolean({ description: 'Only events with a text value' })),
          after: Type.Optional(Type.String({ maxLength: 2_000 })),
          limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 50 }),
        }),
        response: { 200: EventPageSchema },
      },
    },
    async ({ query: { device, type, from, to, texts, after, limit } }) => {
      const cursor = after === undefined ? undefined : readCursor(after)
      if (cursor === null)
        throw new QsError('INVALID_REQUEST', '"after" is not a valid cursor. Use `next` of the previous page')
      return listEvents(read, {
        limit,
        ...(device !== undefined && { deviceId: device }),
        ...(type !== undefined && { eventTypes: type }),
        ...(from !== undefined && { from: readMoment(from) }),
        ...(to !== undefined && { to: readMoment(to) }),
        ...(texts !== undefined && { onlyTexts: texts }),
        ...(cursor !== undefined && { after: cursor }),
      })
    },
  )
}
