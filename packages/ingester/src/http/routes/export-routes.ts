import { Readable } from 'node:stream'
import { Moment, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { exportRows } from '../../queries/export-rows.ts'
import { toCsv } from '../export/csv.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange } from '../time-range.ts'

export function exportRoutes(server: RouteServer, { read }: RouteContext): void {
  server.get(
    '/api/export',
    {
      config: { access: 'viewer' },
      // Answering HEAD would read all rows for nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['series'],
        summary: 'Every event of some series as a file: CSV or Parquet',
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
    async ({ query: { format, device, type, axis = 'event', ...range } }, reply) => {
      const series = device.flatMap((deviceId) => type.map((eventType) => ({ deviceId, eventType })))
      const { from, to } = readRange(range)
      const rows = exportRows(read, { series, from, to, axis })
      const day = from.toISOString().slice(0, 10)
      reply.header('content-disposition', `attachment; filename="qs-${day}.${format}"`)
      if (format === 'csv') {
        reply.type('text/csv; charset=utf-8; header=present')
        return Readable.from(toCsv(rows))
      }
      // Seldom needed, so seldom loaded.
      const { toParquet } = await import('../export/parquet.ts')
      reply.type('application/vnd.apache.parquet')
      return Readable.from(toParquet(rows), { objectMode: false })
    },
  )
}
