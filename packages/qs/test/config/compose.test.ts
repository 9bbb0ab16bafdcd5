import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { SETTINGS } from '../../src/config/settings.ts'

interface Compose {
  readonly 'x-settings': Readonly<Record<string, string>>
  readonly services: Readonly<Record<string, { readonly environment?: Readonly<Record<string, string>> }>>
}

/**
 * Fixed by the stack itself (the certificate by compose.tls.yaml), only used by `qs up`, or for backups by the ingester,
 * which does not know the owner's password here (docs/backup.md).
 */
const NOT_FROM_ENV = [
  'BACKUP_EVERY',
  'BACKUP_DIR',
  'BACKUP_KEEP',
  'BACKUP_DATABASE_URL',
  'INGESTER_USERNAME',
  'MQTT_CA_FILE',
  'HTTP_HOST',
  'QS_DATA_DIR',
  // The ingester does not see the disk of the database's container.
  'KEEP_FREE',
  'MQTT_PORT',
  'MQTT_WS_PORT',
  'MQTT_TLS_PORT',
  'MQTT_WSS_PORT',
  'MQTT_TLS_CERT_FILE',
  'MQTT_TLS_KEY_FILE',
  'MQTT_MAX_CONNECTIONS',
  'MQTT_MAX_CONNECTIONS_PER_ADDRESS',
  'MQTT_MAX_SESSIONS_PER_ACCOUNT',
  'POSTGRES_PORT',
]

/** Only for Mosquitto, or taken from the stack itself. */
const NOT_DIRECT = ['MQTT_URL', 'INGESTER_PASSWORD', 'CONSOLE_MQTT_USERNAME', 'CONSOLE_MQTT_PASSWORD']
/** What compose.direct.yaml passes on besides. */
const DIRECT = [
  'QS_DATA_DIR',
  'MQTT_MAX_CONNECTIONS',
  'MQTT_MAX_CONNECTIONS_PER_ADDRESS',
  'MQTT_MAX_SESSIONS_PER_ACCOUNT',
]

for (const [file, inFile, notInFile] of [
  ['compose.yaml', ['INGESTER_PASSWORD'], NOT_FROM_ENV],
  ['compose.direct.yaml', NOT_DIRECT, NOT_FROM_ENV.filter((name) => !DIRECT.includes(name))],
] as const) {
  test(`${file} passes on every setting of .env, and no unknown one`, () => {
    const compose = parse(readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8'), {
      merge: true,
    }) as Compose
    const passed = compose['x-settings']
    for (const [name, value] of Object.entries(passed)) assert.equal(value, `\${${name}:-}`)
    const ingester = compose.services.ingester?.environment ?? {}
    const known = [...Object.keys(passed), ...Object.keys(ingester)]
    assert.deepEqual(
      known.filter((name) => !(name in SETTINGS)),
      [],
    )
    // The owner writes them where drop_expired reads them; the ingester's role may not.
    const migrate = compose.services.migrate?.environment ?? {}
    for (const name of ['KEEP_EVENTS', 'KEEP_HOURS']) assert.equal(migrate[name], `\${${name}:-}`)
    const published = new Set<string>([...Object.keys(ingester), ...inFile, 'HTTP_PORT'])
    const forgotten = Object.keys(SETTINGS).filter(
      (name) => !published.has(name) && !notInFile.includes(name),
    )
    assert.deepEqual(forgotten, [], `add them to x-settings in ${file}`)
  })
}
