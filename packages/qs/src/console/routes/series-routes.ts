import { Moment, SeriesSchema, StatesSchema, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import Type, { type Static } from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import { readSeries } from '../queries/read-series.ts'
import { readStates } from '../queries/read-states.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange } from '../time-range.ts'

/** More lines cannot be told apart. */
const MAX_SERIES = 50

const Choice = Type.Object({
  device: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_SERIES }),
  type: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_SERIES }),
  from: Moment,
  to: Moment,
  axis: Type.Optional(TimeAxisSchema),
})

/** Every combination of devices and types. */
function chosen({ device, type, from, to, axis = 'event' }: Static<typeof Choice>) {
  const [devices, types] = [[...new Set(device)], [...new Set(type)]]
  const series = devices.flatMap((deviceId) => types.map((eventType) => ({ deviceId, eventType })))
  if (series.length > MAX_SERIES)
    throw new QsError('TOO_MANY_SERIES', `${series.length} lines are too many: request at most ${MAX_SERIES}`)
  return { series, axis, ...readRange({ from, to }) }
}

export function seriesRoutes(server: RouteServer, { read }: RouteContext): void {
  server.get(
    '/api/series',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['series'],
        summary: 'Numbers over time: one line per device, type and unit, with at most `points` points each',
        description:
          'Every event if a series has few enough; else minimum, maximum and mean of each bucket, so that peaks survive. ' +
          'For a series with more than eight units, those with the most events.',
        querystring: Type.Object({
          ...Choice.properties,
          points: Type.Integer({ minimum: 10, maximum: 4_000, default: 800 }),
        }),
        response: { 200: SeriesSchema },
      },
    },
    async ({ query: { points, ...choice } }) => readSeries(read, { points, ...chosen(choice) }),
  )

  server.get(
    '/api/states',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['series'],
        summary:
          'The states among some series, and their changes: the last one before `from`, and texts up to `to`',
        description:
          'A state has two to eight short texts that recur in its newest 30 events, or 0 and 1 without a unit; `/api/series` ' +
          'has the changes of the latter within the range. If there are more than 500 texts, the newest.',
        querystring: Choice,
        response: { 200: StatesSchema },
      },
    },
    async ({ query }) => readStates(read, chosen(query)),
  )
}
