import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { SETTINGS } from '../../src/config/settings.ts'

interface Compose {
  readonly 'x-settings': Readonly<Record<string, string>>
  readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>
}

/** Fixed by the stack itself (the certificate by compose.tls.yaml), or only used by `qs up`. */
const NOT_FROM_ENV = [
  'INGESTER_USERNAME',
  'MQTT_CA_FILE',
  'HTTP_HOST',
  'QS_DATA_DIR',
  'MQTT_PORT',
  'MQTT_WS_PORT',
  'MQTT_MAX_CONNECTIONS',
  'MQTT_MAX_CONNECTIONS_PER_ADDRESS',
  'MQTT_MAX_SESSIONS_PER_ACCOUNT',
  'POSTGRES_PORT',
]

test('compose.yaml passes on every setting of .env, and no unknown one', () => {
  const compose = parse(readFileSync(new URL('../../../../compose.yaml', import.meta.url), 'utf8'), {
    merge: true,
  }) as Compose
  const passed = compose['x-settings']
  for (const [name, value] of Object.entries(passed)) assert.equal(value, `\${${name}:-}`)
  const unknown = Object.keys(passed).filter((name) => !(name in SETTINGS))
  assert.deepEqual(unknown, [])
  const ingester = compose.services.ingester?.environment ?? {}
  const published = new Set([...Object.keys(ingester), 'INGESTER_PASSWORD', 'HTTP_PORT'])
  const forgotten = Object.keys(SETTINGS).filter(
    (name) => !published.has(name) && !NOT_FROM_ENV.includes(name),
  )
  assert.deepEqual(forgotten, [], 'add them to x-settings in compose.yaml')
})
