import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import type { Finding } from '../../src/doctor/finding.ts'

test('with qs up, qs verify proves the PUBACK, also under faults, and qs doctor asks for no session', async (t) => {
  const settings = { EVENT_ID_RULE: 'device' }
  const { mqttPort, databaseUrl, url, query } = await startTestConsole(t, { settings })
  const ports = { MQTT_PORT: String(mqttPort), HTTP_PORT: new URL(url).port }
  const env = { ...settings, ...ports, DATABASE_URL: databaseUrl }

  const plain = await runQs(t, ['verify', '--events', '300', '--json'], { env })
  assert.equal(plain.code, 0, plain.stdout + plain.stderr)
  const result = JSON.parse(plain.stdout)
  assert.deepEqual([result.sent, result.acked, result.stored], [300, 300, 300])
  const { ok, sent, acked, stored, early } = result.puback
  assert.deepEqual([ok, sent, acked, stored, early], [true, 300, 300, 300, []])
  assert.deepEqual(await query('select from events'), [])

  const { code, stdout, stderr } = await runQs(t, ['verify', '--faults', '--keep', '--json'], { env })
  assert.equal(code, 0, stdout + stderr)
  const proof = JSON.parse(stdout)
  assert.deepEqual([proof.ok, proof.doubled, proof.faults.length], [true, 0, 12])
  assert.ok(proof.puback.sent >= 300, `only ${proof.puback.sent} events were sent by the device that trusts`)
  assert.deepEqual(
    [proof.puback.acked, proof.puback.stored, proof.puback.missing, proof.puback.early],
    [proof.puback.sent, proof.puback.sent, [], []],
  )

  const doctor = await runQs(t, ['doctor', '--json'], { env })
  const findings = JSON.parse(doctor.stdout) as readonly Finding[]
  assert.deepEqual(
    findings.filter(({ name }) => name.startsWith('broker')).map(({ name, status }) => [name, status]),
    [
      ['broker connection', 'ok'],
      ['broker window', 'ok'],
      ['broker PUBACK', 'ok'],
      ['broker message size', 'ok'],
    ],
  )
  const puback = findings.find(({ name }) => name === 'broker PUBACK')
  assert.match(puback?.detail ?? '', /the broker says in CONNACK.*Not tested here: qs verify tests it/)
  const ids = findings.find(({ name }) => name === 'event ids')
  assert.equal(ids?.status, 'ok', `what qs verify keeps looks to the doctor like: ${ids?.detail}`)
})
