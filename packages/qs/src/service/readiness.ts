import type { Config } from '../config/settings.ts'

export interface Readiness {
  readonly ok: boolean
  /** What is wrong or worth knowing; "events flow" if nothing is. */
  readonly detail: string
}

interface Answer {
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>
}

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::', '[::]'])

/** What /readyz of the service with these settings says. */
export async function readiness({ HTTP_HOST: host, HTTP_PORT: port }: Config): Promise<Readiness> {
  const url = `http://${EVERY_ADDRESS.has(host) ? '127.0.0.1' : host}:${port}/readyz`
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
    const { checks } = (await response.json()) as Answer
    const notable = Object.entries(checks).filter(
      ([name, { ok, detail }]) => !ok || (name === 'alarms' && detail !== 'none'),
    )
    const detail = notable.map(([name, check]) => `${name}: ${check.detail}`).join('; ')
    return { ok: response.ok, detail: detail || 'events flow' }
  } catch {
    return { ok: false, detail: `${url} does not answer` }
  }
}
