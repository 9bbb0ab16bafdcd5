import Type from 'typebox'
import { HttpProblem } from '../problem.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

const FLUSH_MS = 250
/** A comment, so that proxies do not take the silence for an end. */
const BEAT_MS = 15_000
const MAX_LISTENERS = 50

/**
 * Messages as they come, by server-sent events: a batch every quarter of a second. A browser that does not read leaves
 * its own list full and nothing else: what exceeds it is counted, and told with the next batch.
 */
export function liveRoutes(server: RouteServer, { live, liveProblem }: RouteContext): void {
  let listeners = 0
  const ends = new Set<() => void>()
  server.addHook('preClose', async () => {
    for (const end of ends) end()
  })

  server.get(
    '/api/live',
    {
      schema: {
        tags: ['live'],
        summary: 'Messages as they come in, with what became of them (text/event-stream)',
        querystring: Type.Object({
          device: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
          rejected: Type.Optional(Type.Boolean({ description: 'Only those with something rejected' })),
        }),
      },
    },
    (request, reply) => {
      if (listeners >= MAX_LISTENERS)
        throw new HttpProblem(503, `${MAX_LISTENERS} pages are watching already`)
      const problem = liveProblem()
      if (problem !== null) throw new HttpProblem(503, problem)
      listeners++
      const { device, rejected } = request.query
      const listener = live.listen({
        ...(device !== undefined && { devices: new Set(device) }),
        ...(rejected !== undefined && { onlyRejected: rejected }),
      })
      const { raw } = reply
      const headers = {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      }
      reply.hijack()
      raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers })
      raw.write('retry: 2000\n: connected\n\n')
      const flush = setInterval(() => {
        if (raw.writableNeedDrain) return
        const batch = listener.take()
        if (batch.messages.length > 0 || batch.dropped > 0) raw.write(`data: ${JSON.stringify(batch)}\n\n`)
      }, FLUSH_MS)
      const beat = setInterval(() => {
        if (!raw.writableNeedDrain) raw.write(': beat\n\n')
      }, BEAT_MS)
      const end = () => raw.end()
      ends.add(end)
      raw.on('close', () => {
        listeners--
        ends.delete(end)
        clearInterval(flush)
        clearInterval(beat)
        listener.close()
      })
    },
  )
}
