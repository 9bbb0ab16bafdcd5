import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { accountTopics } from '../../packages/qs/src/accounts/operator-login.ts'
import { provision } from '../../packages/qs/src/accounts/provision.ts'
import { startEmbeddedStack } from './embedded-stack.ts'
import { writeRow } from './row.ts'
import { isShort } from './scale.ts'

const LOGINS = {
  MQTT_USERNAME: 'operator',
  MQTT_PASSWORD: 'operator-password-of-the-broker',
  CONSOLE_OPERATOR_PASSWORD: 'operator-of-the-console',
  CONSOLE_VIEWER_PASSWORD: 'viewer-of-the-console',
}

/** The slowest device ack that docs/security.md promises: with the broker of qs up, and with another. */
const [EMBEDDED_MS, OTHER_MS] = [1_000, 5_000]
/** Cases run in parallel; what slows the device without an attack may slow it under attack too. */
const MAX_RATIO = 25
/** Long enough for any load: the long form judges the waits itself, and on CI's shared machine they say little. */
const MAX_WAIT_SECONDS = '60'

/** The checks that each set-up must skip; all others must hold. */
const OPEN = ['foreign-topics', 'wrong-logins', 'console-spellings']
const CLOSED = ['console-unknown-proxy']

test('qs attack holds against qs up as it is', async (t) => {
  const { env } = await startEmbeddedStack(t)
  await attack(t, 'qs attack against qs up, open', { env, skipped: OPEN, maxMs: EMBEDDED_MS })
})

test('qs attack holds against qs up with logins', async (t) => {
  const { env } = await startEmbeddedStack(t, LOGINS)
  await attack(t, 'qs attack against qs up, with logins', { env, skipped: CLOSED, maxMs: EMBEDDED_MS })
})

test('qs attack holds against Mosquitto with accounts', { skip: dynamicSecurityMissing }, async (t) => {
  const { url } = await startManagedMosquitto(t, { isShipped: true })
  const ingester = { username: 'ingester', password: 'ingester-password-of-the-broker' }
  const operator = { url, ca: null, ...OPERATOR }
  await provision({ operator, topics: accountTopics(configOf()), ingester, onDone: () => {} })
  const common = {
    ...LOGINS,
    MQTT_URL: url,
    DATABASE_URL: await freshDatabase(t),
    HTTP_PORT: String(await freePort()),
    LOG_LEVEL: 'warn',
  }
  const login = { MQTT_USERNAME: ingester.username, MQTT_PASSWORD: ingester.password }
  const qs = startQs(t, ['ingest'], { env: { ...common, ...login } })
  await untilReady(qs, Number(common.HTTP_PORT))
  const operatorLogin = { MQTT_USERNAME: OPERATOR.username, MQTT_PASSWORD: OPERATOR.password }
  const env = { ...common, ...operatorLogin }
  await attack(t, 'qs attack against Mosquitto', { env, skipped: CLOSED, maxMs: OTHER_MS })
})

interface Attacked {
  readonly env: Readonly<Record<string, string>>
  readonly skipped: readonly string[]
  readonly maxMs: number
}

interface Printed {
  readonly calm: { readonly slowest_ms: number | null }
  readonly attacks: readonly {
    readonly name: string
    readonly verdict: { readonly kind: 'held' | 'fell' | 'skipped'; readonly detail?: string }
    readonly slowest_ms: number | null
  }[]
  readonly verification: {
    readonly ok: boolean
    readonly sent: number
    readonly acked: number
    readonly stored: number
    readonly missing: readonly string[]
  }
}

async function attack(t: TestContext, fault: string, { env, skipped, maxMs }: Attacked): Promise<void> {
  const { stdout, stderr } = await runQs(t, ['attack', '--json', '--max-wait', MAX_WAIT_SECONDS], { env })
  assert.notEqual(stdout, '', `qs attack reports nothing: ${stderr}`)
  const { calm, attacks, verification } = JSON.parse(stdout) as Printed
  const calmMs = calm.slowest_ms ?? Number.POSITIVE_INFINITY
  t.diagnostic(`slowest device ack without an attack: ${calmMs} ms`)
  for (const { name, verdict, slowest_ms: ms } of attacks)
    t.diagnostic(`${verdict.kind} ${name}: slowest device ack ${ms} ms; ${verdict.detail ?? 'skipped'}`)
  const { sent, acked, stored, missing } = verification
  const slowestMs = Math.max(...attacks.map(({ slowest_ms: ms }) => ms ?? Number.POSITIVE_INFINITY))
  writeRow({
    ...{ fault, sent, acked, stored, deadLetters: null, lost: missing.length, doubled: 0 },
    outageSeconds: slowestMs / 1_000,
    recoverySeconds: null,
    peakMemoryMb: null,
    broken: verification.ok ? 0 : 1,
    violations: verification.ok ? [] : [JSON.stringify(verification)],
  })
  const of = (kind: string) => attacks.filter(({ verdict }) => verdict.kind === kind)
  assert.deepEqual(of('fell'), [])
  assert.deepEqual(
    of('skipped').map(({ name }) => name),
    skipped,
  )
  assert.ok(verification.ok, JSON.stringify(verification))
  assert.ok(Number.isFinite(calmMs), 'the honest device got no device ack before the attack')
  if (isShort) return
  const limitMs = Math.max(maxMs, calmMs * MAX_RATIO)
  assert.ok(slowestMs <= limitMs, `a device ack took ${slowestMs} ms, which is above ${limitMs} ms`)
}
