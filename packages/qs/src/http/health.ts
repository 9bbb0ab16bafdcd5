import type { Check, CheckResult } from './checks.ts'

export interface HealthOptions {
  /** Named checks of everything that must work for events to become rows. */
  readonly checks: Readonly<Record<string, Check>>
  /** Why the pipeline has stopped, or null. */
  readonly failure: () => Error | null
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export interface HealthAnswer {
  readonly status: number
  readonly contentType: string
  readonly text: string
}

/** Machine-readable answers by path. */
export function answersOf({
  checks,
  failure,
  metrics,
}: HealthOptions): Readonly<Record<string, (() => Promise<HealthAnswer>) | undefined>> {
  return {
    '/healthz': async () =>
      failure() === null
        ? json(200, { status: 'ok' })
        : json(503, { status: 'failed', error: 'The pipeline has stopped; the log says why' }),

    '/readyz': async () => {
      const results = await Promise.all(Object.values(checks).map((check) => check()))
      const byName: Record<string, CheckResult> = Object.fromEntries(
        Object.keys(checks).map((name, index) => [name, results[index] as CheckResult]),
      )
      const isReady = results.every(({ ok }) => ok)
      return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not ready', checks: byName })
    },

    '/metrics': async () => ({ status: 200, ...(await metrics()) }),
  }
}

function json(status: number, body: object): HealthAnswer {
  return { status, contentType: 'application/json; charset=utf-8', text: JSON.stringify(body) }
}
