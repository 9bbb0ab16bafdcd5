import { Readable } from 'node:stream'
import { CALENDAR_RANGES, type CalendarRange, calendarRange, isTimeZone } from '@qs-telemetry/protocol'
import { ExportProgressSchema, Moment, TimeAxisSchema } from '@qs-telemetry/protocol/api'
import type { FastifyReply } from 'fastify'
import Type from 'typebox'
import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'
import { toCsv } from '../export/csv.ts'
import { ExportBook } from '../export/export-book.ts'
import { OneExport } from '../export/one-export.ts'
import { HttpProblem } from '../problem.ts'
import { chosenSeries } from '../queries/chosen-series.ts'
import { exportRows } from '../queries/export-rows.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readRange, type TimeRange } from '../time-range.ts'

/** Each is a question of its own, of which a series without events still takes a third of a millisecond. */
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
        summary: 'How far an export is that this session asked for under a name',
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
      // Answering HEAD would read all rows for nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['series'],
        summary: 'Events as a file: CSV or Parquet',
        description: `Without \`device\` those of all devices, without \`type\` of all types; with both, of at most ${MAX_SERIES} series, devices times types. The time is \`from\` and \`to\`, or a \`range\` of the calendar in \`zone\`. One at a time for each session. In CSV, a text that a spreadsheet would take for a formula begins with an apostrophe; Parquet has all texts as they are.`,
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
              { description: 'In place of from and to: whole days in `zone`, weeks from Monday on' },
            ),
          ),
          axis: Type.Optional(TimeAxisSchema),
          zone: Type.Optional(
            Type.String({
              description: 'IANA name. CSV gets a column ts_local with the event time in this zone',
            }),
          ),
          bom: Type.Optional(
            Type.Boolean({
              description: 'CSV: begin with a byte order mark, as spreadsheets on Windows need it',
            }),
          ),
          end: Type.Optional(
            Type.Boolean({
              description:
                'CSV: end with a line `# end of export: 5 events`, which a download that broke off lacks',
            }),
          ),
        }),
      },
    },
    async (request, reply) => {
      const { name, format, device, type, axis = 'event', zone, bom = false, end = false } = request.query
      const timeZone = zone ?? 'UTC'
      if (!isTimeZone(timeZone))
        throw new HttpProblem(400, `${timeZone} is no time zone. Name one as Europe/Berlin`)
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
      // Seldom needed, so seldom loaded.
      const { toParquet } = await import('../export/parquet.ts')
      reply.type('application/vnd.apache.parquet')
      return exports.run(key, () => Readable.from(toParquet(rows), { objectMode: false }))
    },
  )
}

/** Whether an answer was sent to its end. */
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
    throw new HttpProblem(
      400,
      `${devices.length} devices times ${types.length} types are ${devices.length * types.length} series; an export takes ${MAX_SERIES} at most. Ask for fewer, in several exports, or leave out device or type for all of them.`,
    )
  return devices.flatMap((deviceId) => types.map((eventType) => ({ deviceId, eventType })))
}

interface AskedTime {
  readonly from?: string
  readonly to?: string
  readonly range?: CalendarRange
}

/** @throws HttpProblem where it is neither a range nor two times */
function rangeOf({ from, to, range }: AskedTime, timeZone: string): TimeRange {
  if (range !== undefined && from === undefined && to === undefined)
    return readRange(calendarRange(range, timeZone, Date.now()))
  if (range === undefined && from !== undefined && to !== undefined) return readRange({ from, to })
  throw new HttpProblem(400, `Say which time: "from" and "to", or a "range" such as last-month`)
}

function dayIn(timeZone: string, moment: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(new Date(moment))
}
