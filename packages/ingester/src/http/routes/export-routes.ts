import { Readable } from 'node:stream'
import { Moment, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { exportRows } from '../../queries/export-rows.ts'
import { toCsv } from '../export/csv.ts'
import { OneExport } from '../export/one-export.ts'
import { HttpProblem } from '../problem.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange } from '../time-range.ts'

/** Each is a question of its own, of which a series without events still takes a third of a millisecond. */
const MAX_SERIES = 1_000

export function exportRoutes(server: RouteServer, { read, gate }: RouteContext): void {
  const exports = new OneExport()

  server.get(
    '/api/export',
    {
      config: { access: 'viewer' },
      // Answering HEAD would read all rows for nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['series'],
        summary: 'Every event of some series as a file: CSV or Parquet',
        description: `Of at most ${MAX_SERIES} series, devices times types. One at a time for each session.`,
        querystring: Type.Object({
          format: Type.Union([Type.Literal('csv'), Type.Literal('parquet')]),
          device: Type.Array(Type.String(), { minItems: 1, maxItems: 1_000 }),
          type: Type.Array(Type.String(), { minItems: 1, maxItems: 1_000 }),
          from: Moment,
          to: Moment,
          axis: Type.Optional(TimeAxisSchema),
        }),
      },
    },
    async (request, reply) => {
      const { format, device, type, axis = 'event', ...range } = request.query
      const [devices, types] = [[...new Set(device)], [...new Set(type)]]
      if (devices.length * types.length > MAX_SERIES)
        throw new HttpProblem(
          400,
          `${devices.length} devices times ${types.length} types are ${devices.length * types.length} series; an export takes ${MAX_SERIES} at most. Ask for fewer, or in several exports.`,
        )
      const series = devices.flatMap((deviceId) => types.map((eventType) => ({ deviceId, eventType })))
      const { from, to } = readRange(range)
      const key = gate.sessionOf(request)?.id ?? request.ip
      const rows = exportRows(read, { series, from, to, axis })
      const day = from.slice(0, 10)
      reply.header('content-disposition', `attachment; filename="qs-${day}.${format}"`)
      if (format === 'csv') {
        reply.type('text/csv; charset=utf-8; header=present')
        return exports.run(key, () => Readable.from(toCsv(rows), { objectMode: false }))
      }
      // Seldom needed, so seldom loaded.
      const { toParquet } = await import('../export/parquet.ts')
      reply.type('application/vnd.apache.parquet')
      return exports.run(key, () => Readable.from(toParquet(rows), { objectMode: false }))
    },
  )
}
