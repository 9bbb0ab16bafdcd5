import { statSync } from 'node:fs'
import { connect } from 'node:net'
import { lanAddress } from '../accounts/lan-address.ts'
import type { Config } from '../config/settings.ts'
import { type Finding, ok, problem, unknown, warning } from './finding.ts'

const TIMEOUT_MS = 2_000
const OTHERS_MAY_READ = 0o044

/** What is here on this machine: settings, secrets, the ingester. */
export async function* checkHost(config: Config): AsyncGenerator<Finding> {
  yield ok('settings', 'all of them can be read; qs config lists them')
  yield checkEnvFile()
  yield await checkEncryption(config)
  yield* checkIngester(config)
}

function checkEnvFile(): Finding {
  const name = '.env'
  const stats = statSync('.env', { throwIfNoEntry: false })
  if (stats === undefined) return ok(name, 'not there; settings come from the environment')
  if (process.platform === 'win32') return unknown(name, 'who may read it is not checked on Windows')
  return (stats.mode & OTHERS_MAY_READ) === 0
    ? ok(name, 'only its owner may read it')
    : warning(
        name,
        `others may read it (mode ${(stats.mode & 0o777).toString(8)})`,
        'chmod 600 .env: it has passwords',
      )
}

async function checkEncryption({ MQTT_URL: url, MQTT_PORT: port }: Config): Promise<Finding> {
  const name = 'encryption'
  if (url === null) return checkEmbedded(name, port)
  const { protocol, hostname } = new URL(url)
  if (protocol === 'mqtts:') return ok(name, 'mqtts to the broker')
  // A name without a dot is one of this host or of its containers.
  const isNear = /^(127\.|\[::1\]$|localhost$)/.test(hostname) || !/[.:]/.test(hostname)
  return isNear
    ? ok(name, `none to ${hostname}, which is near`)
    : warning(
        name,
        `none to ${hostname}: password and events can be read on the way`,
        'Use mqtts:// in MQTT_URL',
      )
}

/** With `--lan` it listens on every address of this machine, and speaks without TLS. */
async function checkEmbedded(name: string, port: number): Promise<Finding> {
  const address = lanAddress()
  return address !== '127.0.0.1' && (await accepts(address, port))
    ? warning(
        name,
        `none: something listens on ${address}:${port}, as the embedded broker does with --lan, and passwords and events cross the network in clear`,
        'Use it in a network that you trust, or the composed stack with TLS: docs/tls.md',
      )
    : ok(name, 'none is needed: the embedded broker does not listen beyond this machine')
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS })
    const end = (isOpen: boolean) => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}

interface Readiness {
  readonly status?: string
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>
}

/** Who is at HTTP_PORT: an ingester, with what it says of itself, nobody, or a stranger. */
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
      return yield unknown(name, `none at ${place}: it does not run, or elsewhere`)
    return yield unknown(name, `${place} does not answer: ${cause ?? answer.message}`)
  }
  const readiness = (await answer.json().catch(() => ({}))) as Readiness
  if (readiness.checks === undefined)
    return yield problem(name, `${place} is in use by another program`, 'Set HTTP_PORT to another port')
  const details = Object.entries(readiness.checks).map(([part, { detail }]) => `${part}: ${detail}`)
  const isAlarmed = (readiness.checks.alarms?.detail ?? 'none') !== 'none'
  const detail = `at ${place}, ${readiness.status}; ${details.join('; ')}`
  if (!answer.ok) yield problem(name, detail, 'See its log, and the findings below')
  else if (isAlarmed) yield warning(name, detail, 'See its log: an alarm is on')
  else yield ok(name, detail)
}
