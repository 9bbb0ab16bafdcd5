import { statSync } from 'node:fs'
import type { Config } from '../config/settings.ts'
import { checkBackups } from './check-backups.ts'
import { checkEncryption } from './check-encryption.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

const TIMEOUT_MS = 2_000
const OTHERS_MAY_READ = 0o044

/** Checks on this machine: settings, secrets, the ingester. */
export async function* checkHost(config: Config): AsyncGenerator<Finding> {
  yield ok('settings', 'all valid; qs config lists them')
  yield checkEnvFile()
  yield await checkEncryption(config)
  yield await checkBackups(config)
  yield* checkIngester(config)
}

function checkEnvFile(): Finding {
  const name = '.env'
  const stats = statSync('.env', { throwIfNoEntry: false })
  if (stats === undefined) return ok(name, 'none; settings come from the environment')
  if (process.platform === 'win32') return unknown(name, 'its permissions are not checked on Windows')
  return (stats.mode & OTHERS_MAY_READ) === 0
    ? ok(name, 'only its owner may read it')
    : warning(
        name,
        `others may read it (mode ${(stats.mode & 0o777).toString(8)})`,
        'chmod 600 .env: it contains passwords',
      )
}

interface Readiness {
  readonly status?: string
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>
}

/** What answers at HTTP_PORT: an ingester with its readiness, nothing, or another program. */
async function* checkIngester({ HTTP_HOST: host, HTTP_PORT: port }: Config): AsyncGenerator<Finding> {
  const name = 'ingester'
  const near = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  const place = `http://${near.includes(':') ? `[${near}]` : near}:${port}`
  const answer = await fetch(`${place}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(
    (error: Error) => error,
  )
  if (answer instanceof Error) {
    const cause = (answer.cause as { readonly code?: string } | undefined)?.code
    if (cause === 'ECONNREFUSED')
      return yield unknown(name, `none at ${place}: not running, or at another address`)
    return yield unknown(name, `${place} does not answer: ${cause ?? answer.message}`)
  }
  const readiness = (await answer.json().catch(() => ({}))) as Readiness
  if (readiness.checks === undefined)
    return yield problem(name, `${place} is in use by another program`, 'Set HTTP_PORT to another port')
  const details = Object.entries(readiness.checks).map(([part, { detail }]) => `${part}: ${detail}`)
  const isAlarmed = (readiness.checks.alarms?.detail ?? 'none') !== 'none'
  const detail = `at ${place}, ${readiness.status}; ${details.join('; ')}`
  if (!answer.ok) yield problem(name, detail, 'See its log and the findings below')
  else if (isAlarmed) yield warning(name, detail, 'An alarm is active: see its log')
  else yield ok(name, detail)
}
