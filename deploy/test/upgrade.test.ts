import assert from 'node:assert/strict'
import { type ExecFileSyncOptions, execFileSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DeviceClient } from '@qs-telemetry/device'
import { Stack } from './support/stack.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The commit of the version to upgrade from; update it with each release. */
const PREVIOUS = readFileSync(new URL('previous-version', import.meta.url), 'utf8').trim()

/** The previous version knew no database roles: it ran as the owner. */
const PREVIOUS_FILE = `
services:
  migrate: { image: "qs-telemetry:test-previous" }
  ingester:
    image: "qs-telemetry:test-previous"
    environment: { DATABASE_URL: "postgresql://qs:\${QS_DB_PASSWORD}@postgres/qs" }
`

test('a new version takes over data, accounts and schema of the previous one', async (t) => {
  buildPrevious()
  const stack = await Stack.create(t)
  const file = join(stack.directory, 'previous.yaml')
  writeFileSync(file, PREVIOUS_FILE)
  stack.useFiles([file])
  await stack.up()
  const operator = { username: 'operator', password: stack.env.OPERATOR_MQTT_PASSWORD ?? '' }
  const send = async (deviceId: string, login: { username: string; password: string }, id: string) => {
    const { username, password } = login
    const mqtt = { clientId: deviceId }
    const client = new DeviceClient({ url: stack.mqttUrl, deviceId, username, password, mqtt })
    client.open()
    const { status } = await client.send({ event_id: id, event_type: 'temp', value: 1 })
    await client.close()
    return status
  }
  assert.equal(await send('before', operator, 'old-1'), 'stored')
  const migrations = Number(await stack.sql('select count(*) from schema_migrations'))

  stack.useFiles([])
  rmSync(file)
  await stack.up()
  assert.ok(Number(await stack.sql('select count(*) from schema_migrations')) > migrations)
  assert.equal(await send('before', operator, 'old-1'), 'duplicate')
  assert.equal(await send('after', await stack.addDevice('after'), 'new-1'), 'stored')
  assert.equal(
    await stack.sql('select string_agg(event_id, $$ $$ order by event_id) from events'),
    'new-1 old-1',
  )
  assert.equal(
    await stack.sql(
      "select distinct usename from pg_stat_activity where application_name = 'qs-ingester'",
      'postgres',
    ),
    'qs_ingester',
  )
})

/** Builds it from the history, with the current Dockerfile. Up to 0.1.0 the service lived in packages/ingester. */
function buildPrevious(): void {
  const options: ExecFileSyncOptions = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] }
  try {
    execFileSync('git', ['cat-file', '-e', PREVIOUS], options)
  } catch {
    throw new Error(
      `The commit ${PREVIOUS} of deploy/test/previous-version is missing: git fetch --unshallow`,
    )
  }
  const script =
    'set -e; c=$(mktemp -d); git archive "$1" | tar -x -C "$c"; cp Dockerfile .dockerignore "$c"; ' +
    '[ -d "$c/packages/qs" ] || sed -i s,packages/qs/,packages/ingester/, "$c/Dockerfile"; ' +
    'docker build --quiet --target ingester --tag qs-telemetry:test-previous "$c"; rm -rf "$c"'
  execFileSync('sh', ['-c', script, 'sh', PREVIOUS], options)
}
