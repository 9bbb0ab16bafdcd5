import type { FastifyInstance } from 'fastify'
import type { Check, CheckResult } from './checks.ts'

export interface HealthOptions {
  /** By name: what has to work for events to become rows. */
  readonly checks: Readonly<Record<string, Check>>
  /** Why the pipeline cannot go on, or null. */
  readonly failure: () => Error | null
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics'])

export function addHealth(server: FastifyInstance, { checks, failure, metrics }: HealthOptions): void {
  server.get('/healthz', async (_request, response) => {
    if (failure() === null) return { status: 'ok' }
    return response.code(503).send({ status: 'failed', error: 'The pipeline has stopped; the log says why' })
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
}
