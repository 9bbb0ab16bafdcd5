import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { checkEncryption } from '../../src/doctor/check-encryption.ts'
import { startEmbeddedBroker } from '../../src/embedded/broker/embedded-broker.ts'

/** A second loopback address stands in for the machine's network address. */
const LAN = '127.0.0.2'
/** Without them, the broker listens only on 127.0.0.1. */
const CREDENTIALS = { username: 'qs', password: 'long-enough' }

async function portOfBroker(t: TestContext, host: string): Promise<number> {
  const broker = await startEmbeddedBroker({
    ...{ host, port: 0, wsPort: 0, credentials: CREDENTIALS, accountsFile: null },
    ...{ maxPacketBytes: 1024 * 1024, log: silentLog().log },
  })
  t.after(() => broker.stop())
  return broker.port
}

test('a broker reachable from the network without TLS is a warning with its address', async (t) => {
  const port = await portOfBroker(t, LAN)
  const finding = await checkEncryption({ MQTT_URL: null, MQTT_PORT: port }, LAN)
  assert.equal(finding.status, 'warning')
  assert.match(finding.detail, new RegExp(`^none: .*${LAN}:${port}.*--lan.*in clear`))
})

test('a broker on loopback needs no encryption, and neither does a machine without a network', async (t) => {
  const port = await portOfBroker(t, '127.0.0.1')
  for (const address of [LAN, '127.0.0.1'])
    assert.equal((await checkEncryption({ MQTT_URL: null, MQTT_PORT: port }, address)).status, 'ok', address)
})

test('a remote broker should use mqtts', async () => {
  const levels = {
    'mqtts://broker.example.net': 'ok',
    'mqtt://broker.example.net': 'warning',
    'mqtt://mosquitto': 'ok',
  }
  for (const [MQTT_URL, level] of Object.entries(levels))
    assert.equal((await checkEncryption({ MQTT_URL, MQTT_PORT: 1883 }, LAN)).status, level, MQTT_URL)
})
