import fastify, { type FastifyInstance } from 'fastify'
import type { Check, CheckResult } from './checks.ts'

export interface HttpOptions {
  readonly host: string
  readonly port: number
  /** By name: what has to work for events to become rows. */
  readonly checks: Readonly<Record<string, Check>>
  /** Why the pipeline cannot go on, or null. */
  readonly failure: () => Error | null
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

const INDEX = `qs-telemetry

/healthz  does the process work
/readyz   are broker and database reached, so that events become rows
/metrics  numbers, for Prometheus
`

/**
 * /healthz tells whether the process works, for whoever would restart it; /readyz whether events become rows
 * right now, for whoever would send them; /metrics the numbers, for Prometheus.
 */
export async function startHttp({
  host,
  port,
  checks,
  failure,
  metrics,
}: HttpOptions): Promise<FastifyInstance> {
  const server = fastify({ logger: false, forceCloseConnections: true })

  server.get('/', async (_request, response) => response.type('text/plain').send(INDEX))

  server.get('/healthz', async (_request, response) => {
    const error = failure()
    if (error === null) return { status: 'ok' }
    return response.code(503).send({ status: 'failed', error: error.message })
  })

  server.get('/readyz', async (_request, response) => {
    const results = await Promise.all(Object.values(checks).map((check) => check()))
    const byName: Record<string, CheckResult> = Object.fromEntries(
      Object.keys(checks).map((name, index) => [name, results[index] as CheckResult]),
    )
    const isReady = results.every(({ ok }) => ok)
    return response
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not ready', checks: byName })
  })

  server.get('/metrics', async (_request, response) => {
    const { contentType, text } = await metrics()
    return response.type(contentType).send(text)
  })

  server.setNotFoundHandler((request, response) => {
    return response.code(404).send({ error: `Nothing at ${request.url}. Try /healthz, /readyz or /metrics.` })
  })

  try {
    await server.listen({ host, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} is in use. Stop what uses it, or set HTTP_PORT to another one.`)
  }
  return server
}
