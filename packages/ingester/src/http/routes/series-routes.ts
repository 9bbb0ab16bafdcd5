import { Moment, SeriesSchema, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { readSeries } from '../../queries/read-series.ts'
import { HttpProblem } from '../problem.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange } from '../time-range.ts'

/** More lines than that nobody can tell apart. */
const MAX_SERIES = 50

export function seriesRoutes(server: RouteServer, { read }: RouteContext): void {
  server.get(
    '/api/series',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['series'],
        summary: 'Numbers over time, a line for each device, type and unit, of at most `points` points',
        description:
          'Every event where those of a series fit; else minimum, maximum and mean of each bucket, so that peaks survive. ' +
          'Of a series with more than eight units, those with the most events.',
        querystring: Type.Object({
          device: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_SERIES }),
          type: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_SERIES }),
          from: Moment,
          to: Moment,
          points: Type.Integer({ minimum: 10, maximum: 4_000, default: 800 }),
          axis: Type.Optional(TimeAxisSchema),
        }),
        response: { 200: SeriesSchema },
      },
    },
    async ({ query: { device, type, points, axis = 'event', ...range } }) => {
      const [devices, types] = [[...new Set(device)], [...new Set(type)]]
      const series = devices.flatMap((deviceId) => types.map((eventType) => ({ deviceId, eventType })))
      if (series.length > MAX_SERIES)
        throw new HttpProblem(400, `${series.length} lines are too many: ask for ${MAX_SERIES} at most`)
      return readSeries(read, { series, points, axis, ...readRange(range) })
    },
  )
}
