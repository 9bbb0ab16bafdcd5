import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { json } from '@qs-telemetry/testing/console.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { freshDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import { psqlMissing, runRoles, session, startLockedCluster, urlOf } from '@qs-telemetry/testing/roles.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { migrate } from '../../src/database/migrate.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

/** Settings of a stack with an external database. */
async function settings(t: TestContext, databaseUrl: string) {
  const [mqtt, ws, http, postgres] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const env = {
    ...{ QS_DATA_DIR: temporaryDirectory(t), MQTT_PORT: String(mqtt), MQTT_WS_PORT: String(ws) },
    ...{ HTTP_PORT: String(http), POSTGRES_PORT: String(postgres), DATABASE_URL: databaseUrl },
  }
  return { env, mqtt, http }
}

const event = (id: string, fields: object = {}) =>
  JSON.stringify({ schema: 1, event_id: id, device_id: 'd', event_type: 't', value: 1, ...fields })

async function publish(t: TestContext, mqttPort: number, ...payloads: readonly string[]): Promise<void> {
  // Without `false` it waits for ever if the broker closes the connection before it has read the CONNECT.
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, { reconnectPeriod: 0 }, false)
  t.after(() => client.endAsync(true))
  for (const payload of payloads) await client.publishAsync('qs/v1/d/events', payload, { qos: 1 })
}

test('with DATABASE_URL, qs up stores there and starts no PostgreSQL', async (t) => {
  const databaseUrl = await freshDatabase(t)
  const withSecret = new URL(databaseUrl)
  withSecret.password = 'never-shown'
  const { env, mqtt, http } = await settings(t, withSecret.href)
  const up = startQs(t, ['up'], { env })
  await untilReady(up, http)
  await publish(t, mqtt, event('a'))
  const owner = await session(t, databaseUrl)
  assert.deepEqual((await owner.query('select event_id from events')).rows, [{ event_id: 'a' }])

  for (const each of ['postgres', 'postgres-password', 'postgres.log'])
    assert.ok(!existsSync(join(env.QS_DATA_DIR, each)), each)
  assert.match(up.stdout(), /PostgreSQL .*password in DATABASE_URL/)
  assert.ok(!`${up.stdout()}${up.stderr()}`.includes('never-shown'), 'no password is printed')
  const verified = await runQs(t, ['verify', '--events', '50', '--json'], { env })
  assert.equal(verified.code, 0, verified.stderr)
  up.process.kill('SIGTERM')
  assert.equal(await up.exit(), 0)
})

test('it works with the roles of roles.sh: one for the ingester, one for the console', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  await migrate(urlOf(cluster, 'qs'))
  const { env, mqtt, http } = await settings(t, urlOf(cluster, 'qs_ingester'))
  const roles = { ...env, CONSOLE_DATABASE_URL: urlOf(cluster, 'qs_console') }
  await untilReady(startQs(t, ['up'], { env: roles }), http)
  await publish(t, mqtt, event('a'))
  const owner = await session(t, urlOf(cluster, 'qs'))
  assert.deepEqual((await owner.query('select event_id from events')).rows, [{ event_id: 'a' }])
  const isListed = async () => (await owner.query('select from devices')).rows.length === 1
  await until(isListed, 'the device is listed')
  const url = `http://127.0.0.1:${http}/api/devices/d`
  assert.equal((await fetch(url, json('PATCH', { label: 'kitchen' }))).status, 200)
})

test('it waits for a PostgreSQL that does not answer yet, and takes no connection meanwhile', async (t) => {
  const { env, mqtt } = await settings(t, `postgresql://qs:secret@127.0.0.1:${await freePort()}/qs`)
  const up = startQs(t, ['up'], { env })
  await until(() => up.stderr().includes('PostgreSQL is not available yet'), 'the warning')
  assert.match(up.stderr(), /No connection to PostgreSQL at 127\.0\.0\.1:\d+/)
  await assert.rejects(publish(t, mqtt, event('a')))
  up.process.kill('SIGTERM')
  assert.equal(await up.exit(), 0)
})

const OLD_VERSION = `
  create schema old;
  create function old.current_setting(text) returns text language sql
    as $$ select case $1 when 'server_version_num' then '140011' else '14.11' end $$;
  alter role current_user set search_path = old, pg_catalog, public`

test('an unusable PostgreSQL ends the start, and the message says what to do', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  const fails = async (url: string) => {
    const { env } = await settings(t, url)
    const { code, stderr } = await runQs(t, ['up'], { env })
    assert.equal(code, 1, stderr)
    return stderr
  }

  assert.match(await fails(urlOf(cluster, 'qs', 'wrong')), /refuses the login .*Correct user, password/)
  assert.match(
    await fails(urlOf(cluster, 'qs_ingester')),
    /has no tables yet, and the role qs_ingester may not change that.*DATABASE_URL of the owner/,
  )
  await migrate(urlOf(cluster, 'qs'))
  assert.match(
    await fails(urlOf(cluster, 'grafana')),
    /The role grafana may not do what is needed: permission denied.*owner of the tables/,
  )
  const owner = await session(t, urlOf(cluster, 'qs'))
  await owner.query(OLD_VERSION)
  assert.match(
    await fails(urlOf(cluster, 'qs')),
    /127\.0\.0\.1:\d+ is PostgreSQL 14\.11\. Upgrade PostgreSQL to 15 or newer/,
  )
})
