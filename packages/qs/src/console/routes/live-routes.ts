import { UnhandledTopicsSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

const FLUSH_MS = 250
/** Interval of comments that keep proxies from closing an idle stream. */
const BEAT_MS = 15_000

/**
 * Live messages as server-sent events, a batch every quarter of a second. A browser that does not read fills only its
 * own queue: messages beyond it are counted, and their number comes with the next batch.
 */
export function liveRoutes(server: RouteServer, { host, gate, streams }: RouteContext): void {
  server.addHook('preClose', async () => streams.endAll())

  server.get(
    '/api/unhandled-topics',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['live'],
        summary: 'Messages on topics that are not event topics',
        response: { 200: UnhandledTopicsSchema },
      },
    },
    async () => host.unhandledTopics(),
  )

  server.get(
    '/api/live',
    {
      config: { access: 'viewer' },
      // HEAD would open a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        tags: ['live'],
        summary: 'Live messages with their outcomes (text/event-stream)',
        querystring: Type.Object({
          device: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
          rejected: Type.Optional(Type.Boolean({ description: 'Only messages with a rejected element' })),
        }),
      },
    },
    async (request, reply) => {
      const { raw } = reply
      let ended: QsError | null = null
      // Before the first await, so that any later logout finds this stream.
      const remove = streams.add({
        session: gate.sessionOf(request),
        address: request.ip,
        end: (reason) => {
          ended = reason
          // Without headers, this would be an empty 200, which browsers reject as an event stream.
          if (raw.headersSent) raw.end()
        },
      })
      raw.on('close', remove)
      const problem = await host.liveProblem()
      if (problem !== null) throw new QsError('NO_LIVE_MESSAGES', problem)
      const { device, rejected } = request.query
      const listener = await host.listen({
        ...(device !== undefined && { devices: device }),
        ...(rejected !== undefined && { onlyRejected: rejected }),
      })
      if (raw.destroyed || ended !== null) {
        void host.unlisten(listener)
        if (ended !== null) throw ended
        return
      }
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      }
      reply.hijack()
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
      raw.write('retry: 2000\n: connected\n\n')
      let isTaking = false
      const take = async () => {
        if (isTaking || raw.writableNeedDrain) return
        isTaking = true
        const batch = await host.take(listener)
        isTaking = false
        const isEmpty = batch.messages.length === 0 && batch.dropped === 0
        if (!isEmpty && !raw.writableEnded) raw.write(`data: ${JSON.stringify(batch)}\n\n`)
      }
      const flush = setInterval(() => void take(), FLUSH_MS)
      const beat = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write(': beat\n\n')
      }, BEAT_MS)
      raw.on('close', () => {
        clearInterval(flush)
        clearInterval(beat)
        void host.unlisten(listener)
      })
    },
  )
}
