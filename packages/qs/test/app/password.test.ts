import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { runQs, startQs, untilReady } from '@qs-telemetry/testing/qs.ts'
import {
  PASSWORDS,
  psqlMissing,
  runRoles,
  session,
  startLockedCluster,
  urlOf,
} from '@qs-telemetry/testing/roles.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { migrate } from '../../src/database/migrate.ts'

const LIMIT_MS = 5_000

test('a database password changed while the ingester runs is an outage, not the end', {
  skip: mosquittoMissing || psqlMissing,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-password-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  await migrate(urlOf(cluster, 'qs'))
  const file = join(directory, 'database-url')
  writeFileSync(file, `${urlOf(cluster, 'qs_ingester')}\n`)
  const broker = await startMosquitto(t)
  const httpPort = await freePort()
  const env = { MQTT_URL: broker.url, DATABASE_URL_FILE: file, HTTP_PORT: String(httpPort) }
  const ingest = startQs(t, ['ingest'], { env })
  await untilReady(ingest, httpPort)

  const admin = await session(t, `postgresql://postgres@127.0.0.1:${cluster.port}/qs`)
  const owner = await session(t, urlOf(cluster, 'qs'))
  const { client, received } = await listen(t, broker.url)
  const acked = () => received.get('qs/v1/d/acks')?.length ?? 0
  let sent = 0
  const send = () => {
    const event = { schema: 1, event_id: `e${sent++}`, device_id: 'd', event_type: 't', value: 1 }
    return client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
  }
  const throwOut = () =>
    admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'qs_ingester'`)
  const rotate = async (password: string) => {
    await admin.query(`alter role qs_ingester password '${password}'`)
    await throwOut()
  }
  const alarmOf = async () => {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`)
    return (
      answer.status === 503 && /database_refuses: .*\(28P01\).*DATABASE_URL_FILE/.test(await answer.text())
    )
  }
  const refused = async () => {
    await send()
    await until(alarmOf, 'the alarm')
    assert.equal(ingest.process.exitCode, null, ingest.stderr())
  }

  await send()
  await until(() => acked() === sent, 'it works')

  await rotate('other')
  await refused()
  await rotate(PASSWORDS.qs_ingester)
  await until(() => acked() === sent, 'the password is set back, and events flow', LIMIT_MS)

  await rotate('another')
  await refused()
  writeFileSync(file, `${urlOf(cluster, 'qs_ingester', 'another')}\n`)
  await until(() => acked() === sent, 'the file has the new password, and events flow', LIMIT_MS)

  await admin.query('revoke insert on events from qs_ingester')
  await send()
  await until(async () => {
    const text = await (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).text()
    return /\(42501\).*qs migrate/.test(text)
  }, 'the alarm for a revoked right')
  await admin.query('grant insert on events to qs_ingester')
  await until(() => acked() === sent, 'the right is back, and events flow', LIMIT_MS)

  await until(
    async () => !(await (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).text()).includes('refuses'),
    'the alarm is over',
  )
  const { rows } = await owner.query('select event_id from events order by event_id')
  assert.equal(rows.length, sent)
})

test('a wrong password at the first start ends it, and the error names the setting', {
  skip: psqlMissing,
}, async (t) => {
  const cluster = await startLockedCluster(t)
  await runRoles(cluster)
  const env = { MQTT_URL: 'mqtt://127.0.0.1:1', DATABASE_URL: urlOf(cluster, 'qs_ingester', 'wrong') }
  const { code, stderr } = await runQs(t, ['ingest'], { env })
  assert.equal(code, 1)
  assert.match(stderr, /28P01|password authentication failed/)
  assert.match(stderr, /DATABASE_URL/)
})
