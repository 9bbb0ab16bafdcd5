import { Readable } from 'node:stream'
import { CALENDAR_RANGES, type CalendarRange, calendarRange, isTimeZone } from '@qs-telemetry/protocol'
import { ExportProgressSchema, Moment, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'
import { QsError } from '../../errors/qs-error.ts'
import { toCsv } from '../export/csv.ts'
import { ExportBook } from '../export/export-book.ts'
import { OneExport } from '../export/one-export.ts'
import { chosenSeries } from '../queries/chosen-series.ts'
import { exportRows } from '../queries/export-rows.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange, type TimeRange } from '../time-range.ts'

/** Each series is a separate query, which takes a third of a millisecond even without events. */
const MAX_SERIES = 1_000

const ExportName = Type.String({ minLength: 1, maxLength: 64 })

export function exportRoutes(server: RouteServer, { read, gate }: RouteContext): void {
  const exports = new OneExport()
  const book = new ExportBook()

  server.get(
    '/api/exports/:name',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['series'],
        summary: 'Progress of a named export of this session',
        params: Type.Object({ name: ExportName }),
        response: { 200: ExportProgressSchema },
      },
    },
    async (request) => book.find(`${gate.sessionOf(request)?.id ?? request.ip} ${request.params.name}`),
  )

  server.get(
    '/api/export',
    {
      config: { access: 'viewer' },
      // HEAD would read all rows for nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['series'],
        summary: 'Events as a file: CSV or Parquet',
        description: `All devices without \`device\`, all types without \`type\`; with both, at most ${MAX_SERIES} series (devices times types). Give the time as \`from\` and \`to\`, or as a calendar \`range\` in \`zone\`. One export at a time per session. In CSV, text that a spreadsheet would take as a formula begins with an apostrophe; Parquet keeps all text unchanged.`,
        querystring: Type.Object({
          name: Type.Optional(ExportName),
          format: Type.Union([Type.Literal('csv'), Type.Literal('parquet')]),
          device: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1_000 })),
          type: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1_000 })),
          from: Type.Optional(Moment),
          to: Type.Optional(Moment),
          range: Type.Optional(
            Type.Union(
              CALENDAR_RANGES.map((range) => Type.Literal(range)),
              { description: 'Instead of from and to: whole days in `zone`; weeks begin on Monday' },
            ),
          ),
          axis: Type.Optional(TimeAxisSchema),
          zone: Type.Optional(
            Type.String({
              description: 'IANA name. Adds a column ts_local to CSV, with the event time in this zone',
            }),
          ),
          bom: Type.Optional(
            Type.Boolean({
              description: 'CSV: begin with a byte order mark, which spreadsheets on Windows need',
            }),
          ),
          end: Type.Optional(
            Type.Boolean({
              description:
                'CSV: end with a line `# end of export: 5 events`, which is missing in a truncated download',
            }),
          ),
        }),
      },
    },
    async (request, reply) => {
      const { name, format, device, type, axis = 'event', zone, bom = false, end = false } = request.query
      const timeZone = zone ?? 'UTC'
      if (!isTimeZone(timeZone)) throw new QsError('INVALID_TIME_ZONE', `${timeZone} is not a time zone`)
      const { from, to } = rangeOf(request.query, timeZone)
      const series = seriesOf(read, device, type)
      const key = gate.sessionOf(request)?.id ?? request.ip
      const all = exportRows(read, { series, from, to, axis })
      const rows = name === undefined ? all : book.follow(`${key} ${name}`, all, isSent(reply))
      const day = dayIn(timeZone, from)
      reply.header('content-disposition', `attachment; filename="qs-${day}.${format}"`)
      if (format === 'csv') {
        reply.type('text/csv; charset=utf-8; header=present')
        const options = { bom, endLine: end, timeZone: zone ?? null }
        return exports.run(key, () => Readable.from(toCsv(rows, options), { objectMode: false }))
      }
      // Loaded on demand, since it is rarely needed.
      const { toParquet } = await import('../export/parquet.ts')
      reply.type('application/vnd.apache.parquet')
      return exports.run(key, () => Readable.from(toParquet(rows), { objectMode: false }))
    },
  )
}

/** Whether the response was sent completely. */
function isSent({ raw }: FastifyReply): Promise<boolean> {
  return new Promise((resolve) =>
    raw.once('close', () => resolve(raw.writableFinished && raw.statusCode === 200)),
  )
}

function seriesOf(
  read: Ask,
  device: readonly string[] | undefined,
  type: readonly string[] | undefined,
): Iterable<SeriesName> | AsyncIterable<SeriesName> {
  const [devices, types] = [device && [...new Set(device)], type && [...new Set(type)]]
  if (!devices || !types) return chosenSeries(read, { devices: devices ?? null, types: types ?? null })
  if (devices.length * types.length > MAX_SERIES)
    throw new QsError(
      'TOO_MANY_SERIES',
      `${devices.length} devices times ${types.length} types are ${devices.length * types.length} series; an export takes at most ${MAX_SERIES}. Without device or type it has all of them.`,
    )
  return devices.flatMap((deviceId) => types.map((eventType) => ({ deviceId, eventType })))
}

interface AskedTime {
  readonly from?: string
  readonly to?: string
  readonly range?: CalendarRange
}

/** @throws QsError if it is neither a range nor two times */
function rangeOf({ from, to, range }: AskedTime, timeZone: string): TimeRange {
  if (range !== undefined && from === undefined && to === undefined)
    return readRange(calendarRange(range, timeZone, Date.now()))
  if (range === undefined && from !== undefined && to !== undefined) return readRange({ from, to })
  throw new QsError('INVALID_REQUEST', `Give the time as "from" and "to", or as a "range" such as last-month`)
}

function dayIn(timeZone: string, moment: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date(moment))
}
