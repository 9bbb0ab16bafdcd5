import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dynamicSecurityMissing,
  OPERATOR,
  startManagedMosquitto,
} from '@qs-telemetry/testing/dynamic-security.ts'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import pg from 'pg'

test('qs verify --faults proves the promise on existing servers, also if the first node is down, and leaves nothing behind', {
  skip: dynamicSecurityMissing,
}, async (t) => {
  const broker = await startManagedMosquitto(t)
  const databaseUrl = await migratedDatabase(t)
  const env = {
    MQTT_URL: `mqtt://127.0.0.1:${await freePort()},${broker.url}`,
    MQTT_USERNAME: OPERATOR.username,
    MQTT_PASSWORD: OPERATOR.password,
    DATABASE_URL: databaseUrl,
    EVENT_ID_RULE: 'device',
  }
  const early = await runQs(t, ['verify', '--faults'], { env })
  assert.equal(early.code, 1)
  assert.match(early.stderr, /Not authorized.*qs-verify/, 'the operator may not publish before qs provision')
  const provisioned = await runQs(t, ['provision'], { env: { ...env, INGESTER_PASSWORD: 'ingester-secret' } })
  assert.equal(provisioned.code, 0, provisioned.stderr)

  const { code, stdout, stderr } = await runQs(t, ['verify', '--faults', '--json'], { env })
  assert.equal(code, 0, stdout + stderr)
  const proof = JSON.parse(stdout)
  assert.ok(proof.ok)
  assert.ok(proof.sent >= 1_200, `only ${proof.sent} events were sent`)
  assert.deepEqual([proof.acked, proof.stored], [proof.sent, proof.sent])
  assert.deepEqual([proof.missing, proof.changed, proof.early, proof.doubled], [[], [], [], 0])
  assert.equal(proof.faults.length, 12)
  for (const { fault, flowsAfterSeconds } of proof.faults) assert.ok(flowsAfterSeconds < 10, fault)

  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  t.after(() => database.end())
  for (const table of ['events', 'devices', 'ingest_stats', 'dead_letters'])
    assert.equal((await database.query(`select from ${table}`)).rowCount, 0, table)
})

test('an unreachable broker and one that refuses are reported as such', {
  skip: mosquittoMissing,
}, async (t) => {
  const databaseUrl = await migratedDatabase(t)
  const nobody = { MQTT_URL: `mqtt://127.0.0.1:${await freePort()}`, DATABASE_URL: databaseUrl }
  const away = await runQs(t, ['verify', '--faults'], { env: nobody })
  assert.equal(away.code, 1)
  assert.match(
    away.stderr,
    /BROKER_UNREACHABLE: No connection to the broker at mqtt:\/\/127\.0\.0\.1.*Is it running/,
  )

  const strict = await startMosquitto(t, { config: ['allow_anonymous false'] })
  const refused = await runQs(t, ['verify', '--faults'], {
    env: { MQTT_URL: strict.url, DATABASE_URL: databaseUrl },
  })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /BROKER_LOGIN_REFUSED: .*MQTT_USERNAME and MQTT_PASSWORD/)
  assert.doesNotMatch(refused.stderr, /Is it running/)

  const both = await runQs(t, ['verify', '--faults', '--events', '5'], { env: nobody })
  assert.equal(both.code, 2)
})
