import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { configOf, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { createPipeline } from '../../src/app/pipeline.ts'

const opensslMissing = missing('openssl', 'version')

test('over mqtts the broker is verified by its authority, with user name and password', {
  skip: mosquittoMissing || opensslMissing,
}, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-tls-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const [key, certificate, passwords] = ['key.pem', 'cert.pem', 'passwords'].map((name) =>
    join(directory, name),
  ) as [string, string, string]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost']
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      certificate,
      ...subject,
    ],
    { stdio: 'ignore' },
  )
  execFileSync('mosquitto_passwd', ['-b', '-c', passwords, 'ingester', 'secret'], { stdio: 'ignore' })
  const tlsPort = await freePort()
  await startMosquitto(t, {
    config: [
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${certificate}`,
      `keyfile ${key}`,
      'allow_anonymous false',
      `password_file ${passwords}`,
    ],
  })
  const settings = { MQTT_CA_FILE: certificate, MQTT_USERNAME: 'ingester', MQTT_PASSWORD: 'secret' }
  const { pipeline } = await startPipeline(t, `mqtts://localhost:${tlsPort}`, { settings })
  assert.equal(pipeline.source.status.isConnected, true)

  const wrong = createPipeline({
    config: configOf({ ...settings, MQTT_PASSWORD: 'wrong', MQTT_CLIENT_ID: 'other' }),
    mqttUrl: `mqtts://localhost:${tlsPort}`,
    databaseUrl: 'postgresql://127.0.0.1:1/none',
    timeZoneOf: () => undefined,
    log: silentLog().log,
  })
  void wrong.start()
  assert.match((await wrong.failed).message, /MQTT_USERNAME and MQTT_PASSWORD/)
  await wrong.stop(1000)
})
