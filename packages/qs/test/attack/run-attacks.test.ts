import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand } from '@qs-telemetry/testing/command.ts'
import { DEVICE_TABLES } from '@qs-telemetry/testing/device-tables.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'

interface Printed {
  readonly calm: { readonly sent: number; readonly slowest_ms: number | null }
  readonly attacks: readonly {
    readonly name: string
    readonly verdict: { readonly kind: string; readonly detail?: string }
    readonly slowest_ms: number | null
  }[]
  readonly verification: { readonly ok: boolean; readonly sent: number; readonly stored: number }
}

test('an attack that the system holds against is reported, and leaves no row behind', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const { databaseUrl, query, pipeline } = await startPipeline(t, url)
  // The first node is down.
  const urls = `mqtt://127.0.0.1:${await freePort()},${url}`
  const env = { MQTT_URL: urls, DATABASE_URL: databaseUrl, HTTP_PORT: String(await freePort()) }
  const { code, stdout } = await runCommand(['attack', '--only', 'id-of-another', '--json'], env)
  const { calm, attacks, verification } = JSON.parse(stdout) as Printed
  assert.equal(code, 0, stdout)
  assert.ok(calm.sent > 0 && calm.slowest_ms !== null)
  assert.deepEqual(
    attacks.map(({ name, verdict }) => [name, verdict.kind]),
    [['id-of-another', 'held']],
  )
  assert.ok(verification.ok && verification.sent > 0)
  // On stop, the ingester writes all pending device rows.
  assert.ok(await pipeline.stop(5_000))
  const tables = await query(DEVICE_TABLES)
  assert.ok(tables.length >= 7)
  for (const { name } of tables)
    assert.deepEqual(
      await query(`select from ${name} where starts_with(device_id, 'qs-attack-')`),
      [],
      String(name),
    )
})

test('if the honest device gets no ack, the attack gets through and no further one runs', {
  skip: mosquittoMissing,
}, async (t) => {
  const { url } = await startMosquitto(t)
  const databaseUrl = await migratedDatabase(t)
  const env = { MQTT_URL: url, DATABASE_URL: databaseUrl, HTTP_PORT: String(await freePort()) }
  const { code, stdout } = await runCommand(['attack', '--only', 'qos2', '--json'], env)
  const { attacks } = JSON.parse(stdout) as Printed
  assert.equal(code, 1)
  assert.deepEqual(
    attacks.map(({ name, verdict, slowest_ms: ms }) => [name, verdict.kind, ms]),
    [['qos2-publish', 'fell', null]],
  )
})

test('a broker that is not on this machine is attacked only with --yes', async () => {
  const env = {
    MQTT_URL: 'mqtt://127.0.0.1:1,mqtt://broker.example:1883',
    DATABASE_URL: 'postgresql://127.0.0.1:1/x',
  }
  const { code, stderr } = await runCommand(['attack'], env)
  assert.equal(code, 2)
  assert.match(stderr, /--yes/)
})

test('an unknown name is refused with the command that lists the attacks', async () => {
  const { code, stderr } = await runCommand(['attack', '--only', 'nothing-like-it'], {})
  assert.equal(code, 2)
  assert.match(stderr, /qs attack --list/)
})
